"""Domain-free parts that every department may use: money, clock, ids, errors, choices, paging. No tables, no Django."""
