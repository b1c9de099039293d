"""Pages and API: runs of jobs, their queue and schedule."""
