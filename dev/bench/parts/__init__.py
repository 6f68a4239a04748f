"""One module for each thing that is measured; `dev.bench.registry` lists them."""
