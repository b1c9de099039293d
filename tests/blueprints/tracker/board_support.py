"""Names that the tests of the board share."""

SITE, OTHER = "한빛마을 3단지", "푸른숲 타워"
