"""What a run costs in storage operations, requests and seconds: counted on one machine, for docs/cost-and-scale.md."""
