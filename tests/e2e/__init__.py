"""The real bot, end to end: bot/ over Slack's protocols, page/ in a browser."""
