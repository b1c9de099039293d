"""What a checkout needs besides packages, in one process: static files and compiled translations."""

from __future__ import annotations

import sys

from tools import assets, translations


def main(arguments: list[str]) -> int:
    """Build what has changed; "dev" also fetches the front-end packages of the tests. Returns the exit code."""
    return assets.main(arguments) or translations.main([])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
