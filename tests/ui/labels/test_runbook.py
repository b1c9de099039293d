"""Keys of the API in sentences for people."""

from console.domain.text import T
from console.ui.labels.runbook import named


def test_keys_in_a_sentence_are_said_by_their_names():
    said = T("Critical runbook checks: %(count)s (%(ids)s).", count=2, ids="worker_alive, queue_age")

    assert str(named(said)) == "Critical runbook checks: 2 (Worker, Waiting runs)."
    assert str(named(said.as_dict())) == str(named(said))


def test_words_that_are_no_keys_stand_as_they_are():
    said = T("Secrets shorter than %(least)s characters: %(names)s.", least=32, names="SECRET_KEY, enabled")

    assert named(said) is said
    assert named({"msgid": "OK", "params": None}) == {"msgid": "OK", "params": None}
