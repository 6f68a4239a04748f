"""A vendor that does not exist, made by following docs/adding-a-vendor.md: client, simulator and kit.

`postcard/` would be shared/vendors/postcard/, `simulator.py` would be dev/simulators/postcard/.
"""
