"""What all tests of the core share; the fixtures are those that plugin authors get too."""
