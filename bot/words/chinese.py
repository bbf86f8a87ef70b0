"""The Chinese catalogue (simplified). How fields are written: `bot/words/__init__.py`."""

from __future__ import annotations

from collections.abc import Mapping

from bot.words.english import Phrase

CHINESE: Mapping[Phrase, str] = {
    # The status of an answer that is being written.
    Phrase.WAITING_BEHIND: "排队中，前面还有 {ahead:,} 个问题",
    Phrase.WAITING_IN_THREAD: "正在等待上一条回答完成…",
    Phrase.THINKING: "正在思考…",
    Phrase.THINKING_THAT: "正在思考：{line}",
    Phrase.WRITING: "正在回答…",
    Phrase.WRITING_AGAIN: "正在重新生成…",
    Phrase.RECONNECTING: "正在重新连接…",
    Phrase.RECONNECTING_ATTEMPT: "正在重新连接（{attempt}/{of}）…",
    Phrase.MANY_QUESTIONS: "正在思考… 同时提问的人较多，内容可能会延迟显示。",
    Phrase.FEW_EDITS: "正在思考… Slack 目前允许的更新次数较少，内容可能会延迟显示。",
    Phrase.APP_STATUS: "{status}",
    Phrase.QUEUED_AT_SERVER: "正在模型服务器上排队…",
    Phrase.WAITING_FOR_REST: "正在等待回答的其余部分…",
    # What the model does besides writing.
    Phrase.SEARCHING_WEB: "正在搜索网页…",
    Phrase.SEARCHING_WEB_FOR: "正在搜索网页：{query}",
    Phrase.READING: "正在阅读 {page}",
    Phrase.READING_A_PAGE: "正在阅读网页",
    Phrase.SEARCHING_FILES: "正在搜索文件…",
    Phrase.SEARCHING_FILES_FOR: "正在搜索文件：{query}",
    Phrase.SEARCHING_THREAD: "正在此消息列中搜索：{words}",
    Phrase.CALCULATING: "正在计算 {expression}",
    Phrase.RUNNING_CODE: "正在运行代码…",
    Phrase.RUNNING_COMMANDS: "正在运行命令…",
    Phrase.DRAWING_IMAGE: "正在绘制图片…",
    Phrase.LOOKING_AT_TOOLS: "正在查看可用的工具…",
    Phrase.LOOKING_FOR_A_TOOL: "正在寻找工具…",
    Phrase.USING_A_TOOL: "正在使用工具…",
    Phrase.USING_TOOL: "正在使用 {tool}…",
    Phrase.USING_COMPUTER: "正在使用电脑…",
    Phrase.CALLING_TOOL: "正在调用 {call}…",
    Phrase.SHORTENING_CONVERSATION: "正在压缩对话…",
    # Shortcuts on a message.
    Phrase.ASK_ABOUT_TITLE: "询问这条消息",
    Phrase.ASK_ABOUT_QUESTION: "你的问题",
    Phrase.ASK_ABOUT_AUDIENCE: "谁能看到回答",
    Phrase.ANSWER_IN_THREAD: "所有人，在这条消息的消息列中",
    Phrase.ANSWER_FOR_ME: "仅自己",
    Phrase.ASK_ABOUT_SUBMIT: "提问",
    Phrase.ASK_ABOUT_CANCEL: "取消",
    Phrase.ASK_ABOUT_EMPTY: "请写下问题。",
    Phrase.ASK_ABOUT_PRIVATELY: (
        "我不在这个对话里：只能看到这条消息，回答也仅你可见。如果是频道，邀请我加入即可改变。"
    ),
    Phrase.ASK_ABOUT_DELETED: "这条消息已被删除，无法就它提问。",
    Phrase.SUMMARISE_THREAD: "总结这个消息列",
    Phrase.NOTHING_TO_SUMMARISE: "这条消息还没有回复，没有可总结的消息列。",
    Phrase.SUMMARY_NOT_A_MEMBER: (
        "我不在这个对话里，无法读取它的消息列。如果是频道，请邀请我加入后再试。"
    ),
    Phrase.SUMMARY_UNREAD: "暂时无法从 Slack 读取这个消息列，请稍后再试。",
    Phrase.ASK_ABOUT_NOT_OPENED: "未能及时打开窗口，请再选择一次。",
    Phrase.ASK_ABOUT_NO_WORDS: "（没有文字的消息）",
    # How an answer ended.
    Phrase.STOPPED: "已停止",
    Phrase.STOPPED_BY: "已由 <@{user}> 停止",
    Phrase.EMPTY_ANSWER: "回答为空。",
    Phrase.BROKE_OFF: "回答中断了。",
    Phrase.NEW_VERSION_STOPPED: "重新生成已停止，这里是之前的回答",
    Phrase.NEW_VERSION_FAILED: "重新生成失败，这里是之前的回答",
    Phrase.CUT_OFF_AT_LENGTH: "已达长度上限，回答被截断",
    Phrase.CUT_OFF_BY_FILTER: "回答被内容过滤器截断",
    Phrase.NO_TEXT: "模型没有写出任何回答。",
    Phrase.INTERRUPTED: "机器人在回答过程中停止了运行，请重新提问。",
    Phrase.TOOL_NOT_ALLOWED: "模型请求使用一个工具，但这里没有人可以批准。",
    Phrase.IMAGE_NOT_SHOWN: "模型绘制了一张图片，但无法在这里显示。",
    Phrase.THOUGHT_ONLY: "模型思考了，但没有写出回答。重新提问也许有用。",
    Phrase.NOTHING_WRITTEN: "模型没有写出任何回答。重新提问也许有用。",
    Phrase.LENGTH_USED_UP: "模型还没写出回答就用完了长度上限。",
    Phrase.WITHHELD_BY_FILTER: "回答被模型的内容过滤器拦截了。",
    Phrase.UNKNOWN_TOOL_ASKED: "模型请求使用一个机器人没有的工具，没有写出回答。",
    Phrase.CHARACTER_LIMIT: (
        "已达单条回答 {count:,} 个字符的上限，回答被截断。如需其余内容，请让我继续。"
    ),
    Phrase.TIME_LIMIT: "已达单条回答 {duration}的上限，回答被截断。如需其余内容，请让我继续。",
    Phrase.TOOL_CALL_LIMIT: (
        "模型使用工具的次数超过 {count:,} 次，回答被截断。请把问题拆小一些再问。"
    ),
    Phrase.TOOL_ROUND_LIMIT: (
        "模型在 {count:,} 轮工具调用之后还要使用工具，已达上限，回答被截断。请把问题拆小一些再问。"
    ),
    Phrase.TOOL_OUTPUT_LIMIT: (
        "工具返回的内容超过了单条回答的上限，回答被截断。请把问题拆小一些再问。"
    ),
    Phrase.SECONDS: "{count:.3g} 秒",
    Phrase.MINUTES: "{count:.3g} 分钟",
    Phrase.HOURS: "{count:.3g} 小时",
    Phrase.UNEXPECTED_ERROR: "我这边出了点问题。",
    Phrase.WITH_REFERENCE: "{message}（编号 {reference}）",
    Phrase.NOT_REPEATED: ("机器人在这条回答使用工具之后停止了运行。为避免重复操作，没有重新开始。"),
    Phrase.GIVEN_UP: "机器人在回答过程中多次停止运行，已放弃这条回答。",
    # Failures of the model's server.
    Phrase.SERVER_PROBLEM: "模型服务器出了问题。",
    Phrase.SERVER_UNREACHABLE: "目前无法连接模型服务器。",
    Phrase.SERVER_OVERLOADED: "模型服务器目前负载过高。",
    Phrase.SERVER_WENT_SILENT: "模型服务器在回答完成之前没有了响应。",
    Phrase.NO_ANSWER: "模型服务器没有发来回答，请稍后再问。",
    Phrase.WAIT_DEMANDED: "模型服务器要求等待 {duration}，请稍后再问。",
    Phrase.CONNECTION_BROKE_OFF: "与模型的连接在回答完成之前中断了。",
    Phrase.NOT_RESTARTED: ("与模型的连接在它使用工具之后中断了。为避免重复操作，没有重新开始。"),
    Phrase.RESPONSE_TOO_LARGE: "模型服务器发来的内容过多，回答被截断，请重新提问。",
    Phrase.ANSWER_CANCELLED: "回答在模型服务器上被取消了。",
    Phrase.QUESTION_NOT_ACCEPTED: "模型服务器没有接受这个问题。",
    Phrase.QUESTION_DECLINED: "模型服务器按其内容规则拒绝了这个问题。",
    Phrase.IMAGE_REFUSED: "模型服务器无法接收这个对话中的一张图片。",
    Phrase.CONVERSATION_TOO_LONG: "对话对模型来说太长。请在新的消息列中提问，或减少文字。",
    Phrase.SERVER_REFUSED: "模型服务器拒绝了请求，需要机器人的管理员处理。",
    Phrase.NO_CREDIT: "机器人在模型服务器上的账户余额不足，需要机器人的管理员处理。",
    Phrase.MODEL_NOT_OFFERED: (
        "模型服务器没有向这个机器人提供模型“{model}”，需要机器人的管理员处理。"
    ),
    Phrase.KEY_REFUSED: "模型服务器拒绝了机器人的密钥，需要机器人的管理员处理。",
    Phrase.ACCESS_REFUSED: "模型服务器不允许这个机器人访问，需要机器人的管理员处理。",
    Phrase.WRONG_FORMAT: (
        "无法用机器人所用的接口格式向模型“{model}”提问，需要机器人的管理员处理。"
    ),
    Phrase.SERVER_MOVED: "模型服务器的地址变了，需要机器人的管理员处理。",
    Phrase.NO_SERVER_THERE: "机器人所用的地址上没有模型服务器，需要机器人的管理员处理。",
    Phrase.SERVER_NOT_PROVEN: "模型服务器无法证明自己的身份，需要机器人的管理员处理。",
    Phrase.SERVER_COMPRESSES: ("模型服务器压缩了回答，机器人无法读取，需要机器人的管理员处理。"),
    Phrase.SERVER_SENT_PAGE: ("模型服务器返回的是网页而不是回答，需要机器人的管理员处理。"),
    Phrase.ADDRESS_OR_KEY_WRONG: "模型服务器的地址或密钥有误，需要机器人的管理员处理。",
    # Answers that need no model.
    Phrase.EMPTY_QUESTION: (
        "你好！有什么想问的尽管问，例如：\n\n"
        "- *给发布派对起三个好名字*\n"
        "- *用五行文字总结这个消息列*"
    ),
    Phrase.NEW_CONVERSATION_STARTED: "已开始新对话，之前的消息不再作为上下文。",
    # Parts of a question that can't be read.
    Phrase.PARTS_UNREADABLE: "我无法读取{names}。请写下你的问题，或粘贴需要我阅读的文字。",
    Phrase.PARTS_NOT_READ: "未读取{names}",
    Phrase.FILES_CLIPPED: "仅读取了{names}的开头部分",
    Phrase.FILES_TOO_LARGE: "{names}太大，无法读取",
    Phrase.FILES_TOO_MUCH: "未读取{names}：超出一个问题可读取的文件总量",
    Phrase.FILES_OF_UNKNOWN_KIND: "未读取{names}：我只能读取静态图片（PNG、JPEG、WebP、GIF）和文本",
    Phrase.FILES_EMPTY: "{names}是空文件",
    Phrase.FILES_GONE: "{names}在 Slack 中已不存在",
    Phrase.FILES_OUTSIDE_SLACK: "未读取{names}：我只能读取保存在 Slack 中的文件",
    Phrase.FILES_NOT_ALLOWED: "未读取{names}：我在这里没有读取文件的权限，请联系机器人的管理员",
    Phrase.FILES_UNAVAILABLE: "无法从 Slack 获取{names}",
    Phrase.FILES_BUSY: "未读取{names}：我正在同时读取太多文件",
    Phrase.PICTURES_NOT_TAKEN: "该模型未接受{names}，因此没有看到图片",
    Phrase.BETWEEN_NAMES: "、",
    Phrase.NAMES_AND_LAST: "{names}和{last}",
    Phrase.NAMES_AND_MORE: "{names}以及另外 {count:,} 项",
    Phrase.EMPTY_FORWARD: "一条没有内容的转发消息",
    Phrase.GONE_FILE: "一个已不存在的文件",
    Phrase.UNNAMED_FILE: "一个没有名称的文件",
    Phrase.UNDESCRIBED_IMAGE: "一张没有说明的图片",
    Phrase.TOO_DEEP: "嵌套过深的内容",
    # Below an answer.
    Phrase.SOURCES: "**来源**",
    Phrase.MORE_SOURCES: "以及另外 {count:,} 个",
    # Remarks below an answer, without a full stop: they are joined.
    Phrase.BETWEEN_REMARKS: "。",
    Phrase.ONLY_MESSAGE_READ: "我不在这个对话里，只读了这条消息。如果是频道，邀请我加入即可改变",
    Phrase.SUBJECT_DELETED: "你询问的那条消息已被删除。",
    Phrase.THREAD_UNREAD: "未能读取这个消息列中较早的消息",
    Phrase.DM_UNREAD: "未能读取我们之前的消息",
    Phrase.NEWEST_UNREAD: "未能及时读取这个消息列中最新的消息",
    Phrase.EARLIER_USED: "已结合我们之前的消息 · 发送“新对话”可重新开始",
    Phrase.OLDER_HALF_LEFT_OUT: "对话对模型来说太长，已略去较早的一半",
    Phrase.EXACTLY: "{count:,}",
    Phrase.ABOUT: "约 {count:,}",
    Phrase.ALL_EARLIER_LEFT_OUT: "此前的 {missing:,} 条消息放不下，已略去",
    Phrase.OLDER_LEFT_OUT: (
        "已读取这个消息列 {total} 条消息中最新的 {newest:,} 条，略去更早的 {count} 条"
    ),
    Phrase.NEWER_LEFT_OUT: "只读取了这个消息列 {total} 条消息中的第一条，略去其后的 {count} 条",
    Phrase.SUMMARISED: "较早的消息已概括",
    Phrase.PARTLY_SUMMARISED: "较早的消息已概括，另略去 {count} 条",
    Phrase.MIDDLE_LEFT_OUT: (
        "已读取这个消息列 {total} 条消息中的第一条和最新的 {newest:,} 条，略去中间的 {count} 条"
    ),
    # Messages of an answer without text of the model.
    Phrase.ASKED: "<@{user}> 提问：",
    Phrase.ASKED_ABOUT: "<@{user}> 就“{message}”提问：",
    Phrase.ANSWERING: "正在回答：{question}",
    Phrase.ANSWER_BELOW: "回答见下方。",
    Phrase.ANSWER_WILL_FOLLOW: "正在回答… 完成后会显示在下方。",
    Phrase.MORE_IN_DM: "回答的其余部分在我们的私信中。",
    Phrase.POSSIBLE_DUPLICATE: "Slack 起初没有确认这条消息，所以你可能会看到两次。",
    Phrase.PUBLIC_ANSWER_REFUSED: "我无法在这个频道发消息，所以回答显示在这里，仅你可见。",
    Phrase.ANSWER_IS_HERE: "<@{user}> 你的回答在这里。",
    Phrase.ANSWER_NOT_FINISHED: "<@{user}> 我没能完成你的回答。",
    Phrase.DATABASE_UNAVAILABLE: "我现在无法接收问题，请一分钟后再试。",
    Phrase.QUESTION_EDITED: "你修改了问题，而回答针对的仍是修改前的内容。",
    # Buttons below an answer.
    Phrase.STOP_BUTTON: "停止",
    Phrase.TRY_AGAIN_BUTTON: "重试",
    Phrase.ASK_AGAIN_BUTTON: "按修改后的内容重新提问",
    Phrase.SHOW_BUTTON: "边写边看",
    Phrase.SHARE_BUTTON: "分享到此处",
    Phrase.CONTINUE_BUTTON: "在私信中继续",
    Phrase.NEW_CONVERSATION_OPTION: "新对话",
    Phrase.REGENERATE_OPTION: "重新生成",
    Phrase.SHOW_VERSION_OPTION: "显示第 {number:,} 版（共 {count:,} 版）",
    # The feedback buttons, and the modal after a 👎.
    Phrase.GOOD_ANSWER: "回答得好",
    Phrase.BAD_ANSWER: "回答得不好",
    Phrase.FEEDBACK_TITLE: "哪里不好？",
    Phrase.FEEDBACK_REASON: "原因",
    Phrase.FEEDBACK_WORDS: "补充说明",
    Phrase.FEEDBACK_SEND: "发送",
    Phrase.FEEDBACK_SKIP: "跳过",
    Phrase.ANSWER_WRONG: "内容有误",
    Phrase.ANSWER_OFF_TOPIC: "答非所问",
    Phrase.ANSWER_TOO_LONG: "太长了",
    Phrase.ANSWER_UNSAFE: "内容不安全",
    Phrase.ANSWER_OTHERWISE_BAD: "其他",
    Phrase.VOTE_NOT_STORED: "刚才未能保存你的评价，请稍后再点一次。",
    Phrase.REASON_NOT_STORED: "刚才未能保存，请稍后再发送一次。",
    # Replies to a press.
    Phrase.NOT_YOURS_TO_STOP: "只有提问者可以停止这条回答。",
    Phrase.NOT_YOURS_TO_RETRY: "只有提问者可以重新提问。",
    Phrase.NOT_YOURS_TO_REGENERATE: "只有提问者可以选择此项。",
    Phrase.THREAD_IS_BUSY: "此消息列中正在写另一条回答，请等它结束后再选择。",
    Phrase.VERSION_UNKNOWN: "我这里已经没有这条回答的内容，请重新提问。",
    Phrase.NOT_RUNNING: "这条回答已经结束。",
    Phrase.QUESTION_UNKNOWN: "我这里已经没有这个问题了，请重新提问。",
    Phrase.QUESTION_DELETED: "你的问题已被删除，所以没有重新提问。",
    Phrase.QUESTION_NOT_FOUND: "我找不到你的问题了，请重新提问。",
    Phrase.EDIT_ASKED_ALREADY: "修改后的问题已经提过了。",
    Phrase.ANSWER_UNKNOWN: "我这里已经没有这条回答了，无法转发。",
    Phrase.PRESS_AGAIN_LATER: "刚才没有成功，请稍后再点一次。",
    Phrase.ASKED_AGAIN: "已重新提问，完成后回答会显示在下方。",
    Phrase.SHARED: "已分享到这个频道。",
    Phrase.CONTINUED_IN_DM: "已在我们的私信中继续。",
    Phrase.SHARING_REFUSED: "我无法在这里发消息。请先邀请我加入这个频道，然后再点一次。",
    Phrase.DM_REFUSED: "我无法给你发私信。",
    Phrase.NEW_CONVERSATION_FAILED: "未能开始新对话，请重新选择一次。",
    # Replies to a command and to people who are not answered.
    Phrase.COMMAND_USAGE: (
        "请在命令后面写上问题，例如 `{command} HTTP 409 是什么意思？`"
        "，或 `{command} #public 给发布派对起三个名字`。"
    ),
    Phrase.EXTERNAL_PERSON_REFUSED: ("我只回答安装我的组织的成员，请让那边的同事代你提问。"),
    Phrase.OTHER_WORKSPACE_REFUSED: (
        "我只在运行我的工作区里回答问题，请联系那边的人，在这里也安装我。"
    ),
    # Follow-ups: the state of a channel, and of a thread.
    Phrase.FOLLOW_UPS_ON: (
        "这个频道已开启追问：在我回答过的消息列中，无需再提及我。我必须是频道成员。"
    ),
    Phrase.FOLLOW_UPS_OFF: "这个频道没有开启追问：我只回答提及我的消息。",
    Phrase.FOLLOW_UPS_STATE: "{state}{changed}{hint}",
    Phrase.FOLLOW_UPS_NEVER_CHANGED: "这里还没有人更改过。",
    Phrase.FOLLOW_UPS_TURNED_ON_BY: "由 <@{user}> 开启。",
    Phrase.FOLLOW_UPS_TURNED_OFF_BY: "由 <@{user}> 关闭。",
    Phrase.FOLLOW_UPS_ON_HINT: "输入 `{command} follow-ups on` 可以开启。",
    Phrase.FOLLOW_UPS_OFF_HINT: "输入 `{command} follow-ups off` 可以关闭。",
    Phrase.FOLLOW_UPS_DISABLED: "所有频道都关闭了追问。请联系运行我的人更改 FOLLOW_UPS。",
    Phrase.FOLLOW_UPS_ARE_FOR_CHANNELS: "追问是频道的设置，请在相应的频道中输入这个命令。",
    Phrase.FOLLOW_UPS_NOT_STORED: "无法读取或保存这个设置，请一分钟后再试。",
    Phrase.THREAD_MENTIONS_ONLY: (
        "在这个消息列中，我现在只回答提及我的消息。说“跟进这个消息列”可以恢复。"
    ),
    Phrase.THREAD_FOLLOWED: (
        "我会跟进这个消息列：在我回答之后，无需再提及我。说“只在提到时回答”可以改变。"
    ),
    Phrase.THREAD_FOLLOWED_LATER: (
        "这个频道没有开启追问，所以我只回答提及我的消息。输入 `{command} follow-ups on` 可以开启。"
    ),
    Phrase.NOT_SAID_IN_A_THREAD: (
        "这句话针对的是一个消息列，请在相应的消息列中说。要更改整个频道，请输入 "
        "`{command} follow-ups on` 或 `{command} follow-ups off`。"
    ),
    Phrase.THREAD_MODE_NOT_STORED: "没能保存，请一分钟后再说一次。",
    # The home tab.
    Phrase.HOME_TITLE: "有问题尽管问",
    Phrase.HOME_CHANNEL: "*在频道中：* 写上 {me} 和你的问题，我会在消息列中回答，可以接着聊。",
    Phrase.HOME_DM: "*私下提问：* 在 *消息* 标签页给我发消息。",
    Phrase.HOME_COMMAND: "*任何地方：* `{command} …` 的回答仅你可见，加上 `#public` 则所有人可见。",
    Phrase.HOME_SHORTCUTS: (
        "*针对一条消息：* 在它的菜单里选择 *Ask about this* 提问，或 *Summarise thread* "
        "总结消息列，无需提及我。"
    ),
    Phrase.HOME_CAUTION: "回答由语言模型生成，可能有误。",
}
