"""Where a client's secret goes: each sink stores one so that whoever runs the client can get it."""
