"""The parts of :mod:`benchmarks.bench_media`: material, load clients, the servers under test, browsers."""
