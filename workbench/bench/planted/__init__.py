"""Ten calls with a planted fault each, for readers who are to find it on the call's page."""
