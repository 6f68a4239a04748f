"""A vendor that does not exist, copied by docs/adding-a-vendor.md: its client, and a simulator of it.

Written by following that page; `test_adding_a_vendor` keeps both true.
"""
