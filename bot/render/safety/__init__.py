"""What makes text safe to show in Slack.

    neutralise.py  what may ping or pretend is made inert: the door callers use
    links.py       where links may lead, and what they must say
    labels.py      what a link's label may be taken for, and the remark that names its host
    addresses.py   bare addresses that emphasis touches, and link targets that hold blanks
    slack_and_html.py  Slack's own links and the HTML of sources, written as Markdown
    slack_forms.py  which `<…>` Slack would act on

Everything here is pure text work.
"""
