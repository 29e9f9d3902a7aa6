"""How dates are written where Django's own way would be misread. Chinese ones are Django's."""
