"""The tool that reads a public web page, and what keeps it from anything else.

fetch_page.py      the tool
fetch.py           fetches one page over HTTP, and never from a private network
addresses.py       which hosts and addresses belong to the public web (pure)
resolver.py        looks host names up
page_reader.py     the bytes of a page as text, HTML in a separate process
html_extractor.py  the program of that process: HTML in, title and text out
"""
