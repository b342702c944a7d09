"""``python -m helpouts`` is the command ``helpouts``."""

from helpouts.cli import main

main()
