"""The benchmarks: each figure stands beside a bare floor measured in the same run."""
