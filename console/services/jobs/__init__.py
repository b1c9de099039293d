"""Use cases: runs of jobs, their queue and schedule."""
