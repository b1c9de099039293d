"""Rules: runs of jobs, their queue and schedule."""
