"""Companies: experts of several people.  Who belongs to one, in which part, and how people come and go."""
