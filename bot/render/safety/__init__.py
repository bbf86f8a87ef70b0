"""What makes text safe to show, beyond what safe.py and links.py do themselves.

labels.py     what a reader may take a link's label for, and the remark that says where it leads
addresses.py  bare addresses that emphasis touches, and targets of links that hold blanks
spoken.py     Slack's own links and the HTML of sources, written as markdown
forms.py      which `<…>` Slack would act on

Everything here is pure text work.
"""
