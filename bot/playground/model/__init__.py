"""The playground's demo model: Responses and Chat Completions, as a careful server has them.

It is no language model: a script answers, and says so. What is real is the protocol: the order of
events, sequence numbers, pace, background responses that can be resumed, refusals, and faults.

    server            mounts it: `ModelConfig`, `add_model`
    responses_api     /v1/responses, resume, poll, cancel      chat_api     /v1/chat/completions
    responses_body    what a request asks for (pure)           chat_body    the same (pure)
    responses_events  a plan as events, in order (pure)        chat_chunks  a plan as chunks (pure)
    run, kept         event logs; stored responses             gate, line   faults; one connection
    conversation      what was said (pure)                     plan         what to answer (pure)
    rounds            whether a round of calls comes back whole, in both formats (pure)
    frames, pace      what is sent next, and when              desk, fields common to all endpoints
    script/           what is answered: a conversation to a plan (pure)
"""
