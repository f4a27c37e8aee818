-- Every 10 ms on each connection: a read, a change, a read or a new todo. Says at the end what came of it.
--     wrk --script tests/deploy/load.lua URL -- PATH
-- PATH: that of a todo, /todos/1.
local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(args)
    path, turn, made = args[1], 0, 0
    json = {["Content-Type"] = "application/json"}
end

function delay()
    return 10
end

function request()
    turn = turn + 1
    if turn % 4 == 0 then
        return wrk.format("POST", "/todos", json, '{"title":"made under load"}')
    elseif turn % 4 == 2 then
        return wrk.format("PATCH", path, json, '{"order":' .. turn .. "}")
    end
    return wrk.format("GET", path)
end

function response(status)
    if status == 201 then
        made = made + 1
    end
end

-- What wrk says of percentiles counts a pause once for each request that it might have sent meanwhile.
function done(summary, latency)
    local all, failed = 0, 0
    for _, thread in ipairs(threads) do
        all = all + thread:get("made")
    end
    for _, count in pairs(summary.errors) do
        failed = failed + count
    end
    print(string.format("LOAD %d requests, %d failed, %d created, the longest took %.0f ms", summary.requests,
        failed, all, latency.max / 1000))
end
