"""A model as grader: who judges, what it is asked about, and the replies that are kept."""
