"""What the crowd says: enough of it, in both languages, about goods that exist, short enough for the room."""

from silkroom.config.demo import words
from silkroom.config.demo.brand import STYLES, Words

DRAWINGS = {style.drawing for style in STYLES}


def all_of(table: dict[str, tuple[Words, ...]]) -> list[Words]:
    return [one for part in table.values() for one in part]


def test_enough_different_comments_and_questions() -> None:
    comments = [*words.COMMENTS, *all_of(words.COMMENTS_ON)]
    questions = [*words.QUESTIONS, *all_of(words.QUESTIONS_ON)]
    assert len({one.zh for one in comments}) == len(comments) >= 60
    assert len({one.zh for one in questions}) == len(questions) >= 40


def test_words_about_garments_are_about_garments_of_the_house() -> None:
    for table in (words.COMMENTS_ON, words.QUESTIONS_ON, words.HOST_LINES):
        assert set(table) == DRAWINGS


def test_everything_is_said_in_both_languages_and_fits_the_room() -> None:
    comments = [*words.COMMENTS, *all_of(words.COMMENTS_ON), *all_of(words.HOST_LINES), words.WELCOME]
    questions = [*words.QUESTIONS, *all_of(words.QUESTIONS_ON)]
    assert all(0 < len(text) <= 200 for one in comments for text in (one.zh, one.en))
    assert all(0 < len(text) <= 300 for one in questions for text in (one.zh, one.en))


def test_names_are_different_and_enough_for_the_crowd() -> None:
    names = [*words.NAMES_ZH, *words.NAMES_EN]
    assert len(set(names)) == len(names) >= 40
