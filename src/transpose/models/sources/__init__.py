"""Where weights come from: one file for each kind of source.

Each has `fetch(job, source)`, which puts into `job.into` the files that the source's parts name, and raises
WeightsError when it cannot. What it puts there is checked against the card by whoever called it.
"""
