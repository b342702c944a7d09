"""What plugin authors test with: conformance suites, fakes and fixtures."""
