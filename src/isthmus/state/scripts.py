"""What a server of Redis or Valkey runs to hold limits: the ledger of routing/limits.py, in the server's language.

A window is a hash of amounts by part, running requests a sorted set of leases by when they end. The time is the
server's own where none is given. Numbers are told as text, with all their digits.
"""

_COMMON = """
local function time(told)
    if told ~= '' then return tonumber(told) end
    local t = redis.call('TIME')
    return tonumber(t[1]) + tonumber(t[2]) / 1000000
end

local function exact(number)
    return string.format('%.17g', number)
end

local function whole(number)
    return string.format('%.0f', number)
end

-- The parts of a window that count, and their sum. Those that are outlived are forgotten.
local function parts(key, width, behind, ahead, now)
    local current, found, sum = math.floor(now / width), {}, 0
    local all = redis.call('HGETALL', key)
    for i = 1, #all, 2 do
        local part, amount = tonumber(all[i]), tonumber(all[i + 1])
        if part < current - behind or part > current + ahead then
            redis.call('HDEL', key, all[i])
        else
            found[#found + 1] = {part, amount}
            sum = sum + amount
        end
    end
    return found, sum
end

local function outlast(key, seconds)
    redis.call('EXPIRE', key, whole(math.ceil(seconds) + 1))
end
"""

CLAIM = (
    _COMMON
    + """
local now, lease, lasts = time(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local worst, longest, answer = 0, nil, {}

for i, key in ipairs(KEYS) do
    local at = 3 + (i - 1) * 5
    local amount, most, width = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    local used, wait
    if width == 0 then
        redis.call('ZREMRANGEBYSCORE', key, '-inf', exact(now))
        used = redis.call('ZCARD', key)
        if used + amount > most then wait = 0 end
    else
        local behind = tonumber(ARGV[at + 4])
        local found
        found, used = parts(key, width, behind, tonumber(ARGV[at + 5]), now)
        local excess = used + amount - most
        if excess > 0 and amount > 0 then
            table.sort(found, function(one, other) return one[1] < other[1] end)
            wait = math.huge
            for _, part in ipairs(found) do
                excess = excess - part[2]
                if excess <= 0 then
                    wait = (part[1] + behind + 1) * width - now
                    break
                end
            end
        end
    end
    if amount > most then wait = math.huge end
    if wait and (not longest or wait > longest) then
        worst, longest = i, wait
    end
    answer[i + 2] = used
end

if longest then
    answer[1], answer[2] = worst, longest == math.huge and '-1' or exact(longest)
    return answer
end

for i, key in ipairs(KEYS) do
    local at = 3 + (i - 1) * 5
    local amount, width = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 3])
    if width == 0 then
        redis.call('ZADD', key, exact(now + lasts), lease)
        outlast(key, lasts)
    else
        redis.call('HINCRBY', key, whole(math.floor(now / width)), whole(amount))
        outlast(key, (tonumber(ARGV[at + 4]) + 1) * width)
    end
    answer[i + 2] = answer[i + 2] + amount
end
answer[1], answer[2] = 0, exact(now)
return answer
"""
)
"""KEYS: a window each. ARGV: the time, the lease's name and seconds; for each key amount, most, and its shape.

Answers which key refuses, from 1 on, and the wait (-1 for ever); or 0 and the time. Then what is used, for each key.
"""

SETTLE = (
    _COMMON
    + """
local now = time(ARGV[1])

for i, key in ipairs(KEYS) do
    local at = 1 + (i - 1) * 6
    local difference, granted, width = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 4])
    if width == 0 then
        redis.call('ZREM', key, ARGV[at + 3])
    elseif difference ~= 0 then
        local behind = tonumber(ARGV[at + 5])
        parts(key, width, behind, tonumber(ARGV[at + 6]), now)
        local part = whole(math.floor(granted / width))
        local counts = redis.call('HEXISTS', key, part) == 1
        if difference > 0 and not counts then
            part = whole(math.floor(now / width))
        end
        if difference > 0 or counts then
            if redis.call('HINCRBY', key, part, whole(difference)) < 0 then
                redis.call('HSET', key, part, '0')
            end
            outlast(key, (behind + 1) * width)
        end
    end
end
return 1
"""
)
"""KEYS: a window each. ARGV: the time; for each key the difference to what was claimed, when, the lease, the shape."""

RENEW = (
    _COMMON
    + """
local now, lasts = time(ARGV[1]), tonumber(ARGV[2])

for i, key in ipairs(KEYS) do
    redis.call('ZADD', key, exact(now + lasts), ARGV[2 + i])
    outlast(key, lasts)
end
return 1
"""
)
"""KEYS: a set of leases each. ARGV: the time, the seconds that leases last; for each key a lease that still runs."""
