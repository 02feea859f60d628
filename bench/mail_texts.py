"""What the mails of the benchmark say, ours and those of others.

Others send from an environment of their own, so this needs no package.
"""

from typing import Final

TEXT: Final = (
    "Hello @{name}, episode {number} came back from quality control: please look at the "
    "second act once more before Friday. The timing of the last scene is off by a beat, "
    "and the song needs the new line that we talked about.\n\nThank you!\n" * 2
)


def person_id(number: int) -> str:
    return f"person{number}"


def text_for(number: int) -> str:
    return TEXT.format(name=f"Person {number}", number=number)
