"""The playground's demo model: Responses and Chat Completions, as a careful server has them.

It is no language model: a script answers, and says so. What is real is the protocol: the order of
events, sequence numbers, pace, background responses that can be resumed, refusals, and faults.

    server             mounts it: `ModelConfig`, `add_model`
    service, fields    what all endpoints share; reads the fields of a body
    responses_api      /v1/responses: create, resume, poll, cancel
    chat_api           /v1/chat/completions; models_api: /v1/models
    responses_body     what a request asks for (pure); chat_body: the same
    responses_events   a plan as events, in order (pure); chat_chunks: as chunks
    conversation       what the model is told (pure); plan: what it answers (pure)
    problems           errors in the shapes of OpenAI and TokenLab
    rounds             whether a round of calls comes back complete, in both formats (pure)
    run                the event log of one answer; event_stream sends it to one client
    response_store     the responses that can be polled and streamed again
    fault_injector     what the active faults do to requests and streams
    frames, pace       the events as they are sent (pure), and the pauses between them
    script/            what is answered: a conversation to a plan (pure)
"""
