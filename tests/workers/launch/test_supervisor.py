"""What the launcher says when the process that prepares the database ends in the middle of their talk."""

import os

import pytest

from workers.launch.processes import Group
from workers.launch.startup import StartError
from workers.launch.supervisor import Preparation


def test_a_preparation_that_ended_is_told_in_one_sentence():
    talk = Preparation(Group())
    for pipe in (talk._their_reader, talk._their_writer):
        os.close(pipe)

    with pytest.raises(StartError, match="The start failed"):
        talk.finish("redis://127.0.0.1:1/0")
    talk.close()
