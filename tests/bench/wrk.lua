-- What wrk sends in each workload, and one line about what came of it:
--
--     wrk ... -s wrk.lua URL -- list|item|post|patch|mixed|livez TODOS
--     RESULT requests microseconds p50 p99 errors
--
-- TODOS is how many the table has, with ids from 1. A PATCH always changes something: one that
-- changes nothing is cheap for the database.

local todos
local last_header

local function get_item()
    return "GET /todos/" .. math.random(todos) .. last_header .. "\r\n"
end

local function get_list()
    return "GET /todos" .. last_header .. "\r\n"
end

local function patch_item()
    return "PATCH /todos/" .. math.random(todos) .. last_header ..
        "Content-Type: application/json\r\nContent-Length: 17\r\n\r\n" ..
        '{"order":' .. math.random(1000000, 9999999) .. "}"
end

-- Nine reads, of the list and of items in turn, to one write.
local turn = 0
local function any_of_ten()
    turn = turn % 20 + 1
    if turn % 10 == 0 then
        return patch_item()
    end
    return turn % 2 == 0 and get_list() or get_item()
end

local function post()
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    wrk.body = '{"title":"todo number 1234567","order":1234567}'
end

function init(args)
    local workload = args[1]
    todos = tonumber(args[2])
    math.randomseed(os.time())
    last_header = " HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\n"
    if workload == "post" then
        post()
    end
    -- Without a function wrk sends the same request again, which costs it less.
    request = ({item = get_item, patch = patch_item, mixed = any_of_ten})[workload]
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format("RESULT %d %d %d %d %d", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
