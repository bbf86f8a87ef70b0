"""The English catalogue. How fields and plurals are written: `bot/words/__init__.py`."""

from __future__ import annotations

from enum import Enum, unique


@unique
class Phrase(Enum):
    """All phrases of the bot by name; the value is the English wording.

    A sentence says in plain words what happened and what to do: no codes, no names of classes, no
    blame. Two names may not have the same wording.
    """

    # The status of an answer that is being written.
    WAITING_BEHIND = "Waiting, {ahead:,} before you"
    WAITING_IN_THREAD = "Waiting for the answer above…"
    THINKING = "Thinking…"
    THINKING_THAT = "Thinking: {line}"
    WRITING = "Writing…"
    WRITING_AGAIN = "Writing a new version…"
    RECONNECTING = "Reconnecting…"
    RECONNECTING_ATTEMPT = "Reconnecting ({attempt}/{of})…"

    MANY_QUESTIONS = "Thinking… Many questions at once: what is written may show late."
    FEW_EDITS = (
        "Thinking… Slack takes few changes from me this minute: what is written may show late."
    )
    APP_STATUS = "is {status}"  # behind the app's name
    QUEUED_AT_SERVER = "Waiting in the queue of the model's server…"
    WAITING_FOR_REST = "Waiting for the rest of the answer…"

    # What the model does besides writing.
    SEARCHING_WEB = "Searching the web…"
    SEARCHING_WEB_FOR = "Searching the web: {query}"
    READING = "Reading {page}"
    READING_A_PAGE = "Reading a page"
    SEARCHING_FILES = "Searching files…"
    SEARCHING_FILES_FOR = "Searching files: {query}"
    SEARCHING_THREAD = "Searching this thread for {words}"
    CALCULATING = "Calculating {expression}"
    RUNNING_CODE = "Running code…"
    RUNNING_COMMANDS = "Running commands…"
    DRAWING_IMAGE = "Drawing an image…"
    LOOKING_AT_TOOLS = "Looking at the tools it has…"
    LOOKING_FOR_A_TOOL = "Looking for a tool…"
    USING_A_TOOL = "Using a tool…"
    USING_TOOL = "Using {tool}…"
    USING_COMPUTER = "Using a computer…"
    CALLING_TOOL = "Calling {call}…"
    SHORTENING_CONVERSATION = "Shortening the conversation…"

    # Shortcuts on a message.
    ASK_ABOUT_TITLE = "Ask about this"
    ASK_ABOUT_QUESTION = "Your question"
    ASK_ABOUT_AUDIENCE = "Who sees the answer"
    ANSWER_IN_THREAD = "Everybody, in the thread of the message"
    ANSWER_FOR_ME = "Only you"
    ASK_ABOUT_SUBMIT = "Ask"
    ASK_ABOUT_CANCEL = "Cancel"
    ASK_ABOUT_EMPTY = "Please write a question."
    ASK_ABOUT_PRIVATELY = (
        "I'm not in this conversation: I see this message only, and only you see the answer. "
        "In a channel, invite me to change that."
    )
    ASK_ABOUT_DELETED = "This message was deleted. There is nothing to ask about."
    SUMMARISE_THREAD = "Summarise this thread"
    NOTHING_TO_SUMMARISE = "Nobody has replied to this message: there is no thread to summarise."
    SUMMARY_NOT_A_MEMBER = (
        "I'm not in this conversation, so I can't read its threads. In a channel, invite me and "
        "try again."
    )
    SUMMARY_UNREAD = "Slack did not show me this thread just now. Please try again in a minute."
    ASK_ABOUT_NOT_OPENED = "I could not open the window in time. Please choose the shortcut again."
    ASK_ABOUT_NO_WORDS = "(a message without text)"

    # How an answer ended.
    STOPPED = "Stopped"
    STOPPED_BY = "Stopped by <@{user}>"
    EMPTY_ANSWER = "The answer is empty."
    BROKE_OFF = "The answer broke off."
    NEW_VERSION_STOPPED = "The new version was stopped, so this is the earlier one"
    NEW_VERSION_FAILED = "The new version failed, so this is the earlier one"
    CUT_OFF_AT_LENGTH = "Cut off at the length limit"
    CUT_OFF_BY_FILTER = "Cut off by the content filter"
    NO_TEXT = "The model ended without writing an answer."
    INTERRUPTED = "The bot was stopped while it wrote this answer. Please ask again."
    TOOL_NOT_ALLOWED = "The model asked to be allowed a tool; nobody can allow it here."
    IMAGE_NOT_SHOWN = "The model drew an image, which can't be shown here."
    THOUGHT_ONLY = "The model thought about it but wrote no answer. Asking again may help."
    NOTHING_WRITTEN = "The model ended without writing an answer. Asking again may help."
    LENGTH_USED_UP = "The model used up its length limit before it wrote an answer."
    WITHHELD_BY_FILTER = "The answer was withheld by the model's content filter."
    UNKNOWN_TOOL_ASKED = "The model asked for a tool this bot doesn't have, and wrote no answer."
    CHARACTER_LIMIT = (
        "Cut off at {count:,} characters, the most for one answer. "
        "Ask me to go on if you need the rest."
    )
    TIME_LIMIT = (
        "Cut off after {duration}, the most for one answer. Ask me to go on if you need the rest."
    )
    TOOL_CALL_LIMIT = (
        "Cut off: the model wanted to use tools more than {count:,} times. "
        "Ask for a smaller part of it."
    )
    TOOL_ROUND_LIMIT = (
        "Cut off: the model wanted to use tools after {count:,} {count:round|rounds} of them, the "
        "most for one answer. Ask for a smaller part of it."
    )
    TOOL_OUTPUT_LIMIT = (
        "Cut off: the tools returned more than fits into one answer. Ask for a smaller part of it."
    )
    SECONDS = "{count:.3g} {count:second|seconds}"
    MINUTES = "{count:.3g} {count:minute|minutes}"
    HOURS = "{count:.3g} {count:hour|hours}"
    UNEXPECTED_ERROR = "Something went wrong on my side."
    WITH_REFERENCE = "{message} (reference {reference})"
    NOT_REPEATED = (
        "The bot was stopped after this answer had used a tool. It was not begun anew, so that "
        "nothing is done twice."
    )
    GIVEN_UP = "The bot stopped several times while it wrote this answer, so it was given up."

    # Failures of the model's server.
    SERVER_PROBLEM = "The model's server had a problem."
    SERVER_UNREACHABLE = "The model's server can't be reached right now."
    SERVER_OVERLOADED = "The model's server is overloaded right now."
    SERVER_WENT_SILENT = "The model's server went silent before the answer was complete."
    NO_ANSWER = "The model's server sent no answer. Please ask again later."
    WAIT_DEMANDED = "The model's server asks to wait {duration}. Please ask again later."
    CONNECTION_BROKE_OFF = "The connection to the model broke off before the answer was complete."
    NOT_RESTARTED = (
        "The connection to the model broke off after it had used a tool. It was not begun anew, "
        "so that nothing is done twice."
    )
    RESPONSE_TOO_LARGE = (
        "Cut off: the model's server sent too much for one answer. Please ask again."
    )
    ANSWER_CANCELLED = "The answer was cancelled at the model's server."
    QUESTION_NOT_ACCEPTED = "The model's server did not accept this question."
    QUESTION_DECLINED = "The model's server declined this question by its content rules."
    IMAGE_REFUSED = "The model's server could not take an image of this conversation."
    CONVERSATION_TOO_LONG = (
        "The conversation is too long for the model. Ask in a new thread, or with less text."
    )
    SERVER_REFUSED = (
        "The model's server refused the request; whoever runs this bot has to look at it."
    )
    NO_CREDIT = (
        "The bot's account at the model's server has no credit left; whoever runs this bot has to "
        "look at it."
    )
    MODEL_NOT_OFFERED = (
        "The model's server doesn't offer this bot the model “{model}”; whoever runs this bot has "
        "to look at it."
    )
    KEY_REFUSED = (
        "The model's server refused the bot's key; whoever runs this bot has to look at it."
    )
    ACCESS_REFUSED = (
        "The model's server doesn't let this bot in; whoever runs this bot has to look at it."
    )
    WRONG_FORMAT = (
        "The model “{model}” can't be asked by the wire format the bot uses; whoever runs this bot "
        "has to look at it."
    )
    SERVER_MOVED = "The model's server has moved; whoever runs this bot has to look at it."
    NO_SERVER_THERE = (
        "There is no model's server at the address the bot has for it; whoever runs this bot has "
        "to look at it."
    )
    SERVER_NOT_PROVEN = (
        "The model's server could not prove who it is; whoever runs this bot has to look at it."
    )
    SERVER_COMPRESSES = (
        "The model's server compresses its answers, which can't be read; whoever runs this bot has "
        "to look at it."
    )
    SERVER_SENT_PAGE = (
        "The model's server answered with a web page instead of an answer; whoever runs this bot "
        "has to look at it."
    )
    ADDRESS_OR_KEY_WRONG = (
        "The address or the key of the model's server can't be right; whoever runs this bot has to "
        "look at it."
    )

    # Answers that need no model.
    EMPTY_QUESTION = (
        "Hi! Ask me anything, for example:\n\n"
        "- *What are three good names for a release party?*\n"
        "- *Summarise this thread in five lines.*"
    )
    NEW_CONVERSATION_STARTED = "New conversation: what we wrote before is not used from here on."

    # Parts of a question that can't be read.
    PARTS_UNREADABLE = (
        "I can't read {names}: write your question, or paste the text that I should read."
    )
    PARTS_NOT_READ = "{names} {count:was|were} not read"
    FILES_CLIPPED = "Only the beginning of {names} was read"
    FILES_TOO_LARGE = "{names} {count:is|are} too large for me to read"
    FILES_TOO_MUCH = "{names} {count:was|were} left out: that is more than I read for one question"
    FILES_OF_UNKNOWN_KIND = (
        "{names} {count:was|were} not read: I read still pictures (PNG, JPEG, WebP, GIF) and text"
    )
    FILES_EMPTY = "{names} {count:is|are} empty"
    FILES_GONE = "{names} {count:is|are} no longer in Slack"
    FILES_OUTSIDE_SLACK = "{names} {count:was|were} not read: I read only what is kept in Slack"
    FILES_NOT_ALLOWED = (
        "{names} {count:was|were} not read: I may not read files here, and whoever runs this bot "
        "has to look at it"
    )
    FILES_UNAVAILABLE = "{names} could not be fetched from Slack"
    FILES_BUSY = "{names} {count:was|were} not read: I am reading too many files at once"
    PICTURES_NOT_TAKEN = "The model did not take {names}, so it has not seen {count:it|them}"
    BETWEEN_NAMES = ", "
    NAMES_AND_LAST = "{names} and {last}"
    NAMES_AND_MORE = "{names} and {count:,} more"
    EMPTY_FORWARD = "an empty forwarded message"
    GONE_FILE = "a file that is gone"
    UNNAMED_FILE = "a file without a name"
    UNDESCRIBED_IMAGE = "an image without a description"
    TOO_DEEP = "what is nested too deeply"

    # Below an answer.
    SOURCES = "**Sources**"
    MORE_SOURCES = "and {count:,} more"

    # Remarks below an answer, without a full stop: they are joined.
    BETWEEN_REMARKS = ". "
    ONLY_MESSAGE_READ = (
        "I'm not in this conversation: I read this message only. In a channel, invite me to change "
        "that"
    )
    SUBJECT_DELETED = "The message you asked about was deleted."
    THREAD_UNREAD = "The earlier messages of this thread could not be read"
    DM_UNREAD = "Our earlier messages could not be read"
    NEWEST_UNREAD = "The newest messages of this thread could not be read in time"
    EARLIER_USED = "Goes on from our earlier messages · write “new conversation” to start afresh"
    OLDER_HALF_LEFT_OUT = (
        "The conversation was too long for the model, so its older half was left out"
    )
    EXACTLY = "{count:,}"
    ABOUT = "about {count:,}"
    ALL_EARLIER_LEFT_OUT = (
        "The {missing:,} {missing:message|messages} before this question did not fit and "
        "{missing:was|were} left out"
    )
    OLDER_LEFT_OUT = (
        "The newest {newest:,} of {total} messages of this thread were read; "
        "{count} {missing:was|were} left out before them"
    )
    NEWER_LEFT_OUT = (
        "Only the first of {total} messages of this thread was read; "
        "{count} {missing:was|were} left out after it"
    )
    SUMMARISED = "Earlier messages are summarised"
    PARTLY_SUMMARISED = "Earlier messages are summarised; {count} {missing:was|were} left out"
    MIDDLE_LEFT_OUT = (
        "The first message and the newest {newest:,} of {total} messages of this thread were read; "
        "{count} {missing:was|were} left out between"
    )

    # Messages of an answer without text of the model.
    ASKED = "<@{user}> asked:"
    ASKED_ABOUT = "<@{user}> asked about “{message}”:"
    ANSWERING = "Answering: {question}"
    ANSWER_BELOW = "The answer is below."
    ANSWER_WILL_FOLLOW = "Writing… Your answer will stand below when it is complete."
    MORE_IN_DM = "The rest of this answer is in our direct messages."
    POSSIBLE_DUPLICATE = "Slack did not confirm this message at first, so you may see it twice."
    PUBLIC_ANSWER_REFUSED = (
        "I can't post in this channel, so you get the answer here, and only you see it."
    )
    ANSWER_IS_HERE = "<@{user}> your answer is here."
    ANSWER_NOT_FINISHED = "<@{user}> I could not finish your answer."
    DATABASE_UNAVAILABLE = "I can't take questions right now. Please try again in a minute."
    QUESTION_EDITED = "You edited your question. The answer is still about what it said before."

    # Buttons below an answer.
    STOP_BUTTON = "Stop"
    TRY_AGAIN_BUTTON = "Try again"
    ASK_AGAIN_BUTTON = "Ask again with the edit"
    SHOW_BUTTON = "Show as it is written"
    SHARE_BUTTON = "Share here"
    CONTINUE_BUTTON = "Continue in DM"
    NEW_CONVERSATION_OPTION = "New conversation"
    REGENERATE_OPTION = "Regenerate"
    SHOW_VERSION_OPTION = "Show version {number:,} of {count:,}"

    # The feedback buttons, and the modal after a 👎. A title has at most 24 characters.
    GOOD_ANSWER = "Good answer"
    BAD_ANSWER = "Bad answer"
    FEEDBACK_TITLE = "What was wrong?"
    FEEDBACK_REASON = "Reason"
    FEEDBACK_WORDS = "In your words"
    FEEDBACK_SEND = "Send"
    FEEDBACK_SKIP = "Skip"
    ANSWER_WRONG = "It is wrong"
    ANSWER_OFF_TOPIC = "It is not what I asked"
    ANSWER_TOO_LONG = "It is too long"
    ANSWER_UNSAFE = "It is not safe"
    ANSWER_OTHERWISE_BAD = "Something else"
    VOTE_NOT_STORED = "Your vote could not be stored just now. Please vote again in a moment."
    REASON_NOT_STORED = "This could not be stored just now. Please send it again in a moment."

    # Replies to a press.
    NOT_YOURS_TO_STOP = "Only the asker can stop this answer."
    NOT_YOURS_TO_RETRY = "Only the asker can ask this again."
    NOT_YOURS_TO_REGENERATE = "Only the asker can choose this."
    THREAD_IS_BUSY = (
        "Another answer is being written in this thread. Choose this again once it has ended."
    )
    VERSION_UNKNOWN = "I no longer have the text of this answer. Please ask it again."
    NOT_RUNNING = "This answer is not being written any more."
    QUESTION_UNKNOWN = "I no longer have this question. Please ask it again."
    QUESTION_DELETED = "Your question was deleted, so it was not asked again."
    QUESTION_NOT_FOUND = "I can't find your question any more. Please ask it again."
    EDIT_ASKED_ALREADY = "This edit was asked already."
    ANSWER_UNKNOWN = "I no longer have this answer, so it can't be passed on."
    PRESS_AGAIN_LATER = "That did not work just now. Please press again in a moment."
    ASKED_AGAIN = "Asked again. The answer will stand below when it is complete."
    SHARED = "Shared in this channel."
    CONTINUED_IN_DM = "Goes on in our direct messages."
    SHARING_REFUSED = "I can't post here. Invite me to this channel, then press again."
    DM_REFUSED = "I can't write to you in direct messages."
    NEW_CONVERSATION_FAILED = "I couldn't begin a new conversation. Please choose it again."

    # Replies to a command and to people who are not answered.
    COMMAND_USAGE = (
        "Type a question after the command, for example `{command} What does HTTP 409 mean?` "
        "or `{command} #public Three names for our release party`."
    )
    EXTERNAL_PERSON_REFUSED = (
        "I only answer people of the organisation that installed me: ask a colleague there to put "
        "your question to me."
    )
    OTHER_WORKSPACE_REFUSED = (
        "I only answer in the workspace that runs me: ask its people to install me here too."
    )

    # Follow-ups: the state of a channel, and of a thread.
    FOLLOW_UPS_ON = (
        "Follow-ups are on in this channel: in a thread that I have answered, nobody has to "
        "mention me again. I have to be a member of the channel."
    )
    FOLLOW_UPS_OFF = "Follow-ups are off in this channel: I only answer messages that mention me."
    FOLLOW_UPS_STATE = "{state} {changed} {hint}"
    FOLLOW_UPS_NEVER_CHANGED = "Nobody has changed that here."
    FOLLOW_UPS_TURNED_ON_BY = "<@{user}> turned them on."
    FOLLOW_UPS_TURNED_OFF_BY = "<@{user}> turned them off."
    FOLLOW_UPS_ON_HINT = "`{command} follow-ups on` turns them on."
    FOLLOW_UPS_OFF_HINT = "`{command} follow-ups off` turns them off."
    FOLLOW_UPS_DISABLED = (
        "Follow-ups are switched off for all channels. Ask whoever runs me to change FOLLOW_UPS."
    )
    FOLLOW_UPS_ARE_FOR_CHANNELS = (
        "Follow-ups are a setting of channels: type this in the channel that you mean."
    )
    FOLLOW_UPS_NOT_STORED = "The setting could not be read or stored. Please try again in a minute."
    THREAD_MENTIONS_ONLY = (
        "In this thread I only answer messages that mention me now. “Follow this thread” changes "
        "that."
    )
    THREAD_FOLLOWED = (
        "I follow this thread: once I have answered in it, nobody has to mention me again. “Only "
        "when mentioned” changes that."
    )
    THREAD_FOLLOWED_LATER = (
        "Follow-ups are off in this channel, so I only answer messages that mention me. "
        "`{command} follow-ups on` turns them on."
    )
    NOT_SAID_IN_A_THREAD = (
        "That is for one thread: please write it in the thread that you mean. For the whole "
        "channel type `{command} follow-ups on` or `{command} follow-ups off`."
    )
    THREAD_MODE_NOT_STORED = "I could not store that. Please say it again in a minute."

    # The home tab.
    HOME_TITLE = "Ask me anything"
    HOME_CHANNEL = (
        "*In a channel:* write {me} and your question; I answer in a thread, where you can go on."
    )
    HOME_DM = "*In private:* write to me under *Messages*."
    HOME_COMMAND = "*Anywhere:* `{command} …` answers only you; with `#public`, everyone."
    HOME_SHORTCUTS = (
        "*About a message:* choose *Ask about this* or *Summarise thread* in its menu; I need not "
        "be mentioned there."
    )
    HOME_CAUTION = "Answers are written by a language model and can be wrong."
