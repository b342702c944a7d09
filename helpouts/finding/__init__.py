"""Finding: the index over what is on sale, its upkeep, and the search.

``words`` makes search terms of texts, ``masks`` free time into bits, ``ranking`` an order of everything; ``index``
keeps one row for each listing up to date and ``search`` reads it.  docs/finding.md tells how they fit together.
"""
