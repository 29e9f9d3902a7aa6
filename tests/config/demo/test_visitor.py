"""The browser without a screen finds forms as pages write them."""

from silkroom.config.demo.visitor import Form, forms_in

PAGE = """
<form method="post" action="/pay/?a=1&amp;b=2">
  <input type="hidden" name="csrfmiddlewaretoken" value="t&quot;k">
  <input type="text" name="note">
  <input type="checkbox" name="agree" value="yes">
  <button type="submit" name="go" value="1">Pay</button>
</form>
<form><input name="q" value="silk"></form>
"""


def test_forms_with_hidden_fields_and_empty_action() -> None:
    assert forms_in(PAGE, "/here/") == [
        Form("/pay/?a=1&b=2", {"csrfmiddlewaretoken": 't"k', "note": ""}),
        Form("/here/", {"q": "silk"}),
    ]
