"""What a server of Redis or Valkey runs to hold limits: the ledger of routing/limits.py, in the server's language.

A window is a hash of amounts by part, running requests a sorted set of leases by when they end. The time is the
server's own where none is given. Numbers are told as text, with all their digits. The width of a part is in seconds;
0 stands for running requests, and what is below it for the periods of the calendar: PERIODS.
"""

from collections.abc import Mapping

from isthmus.core.periods import Period

PERIODS: Mapping[Period, int] = {Period.DAY: -1, Period.WEEK: -2, Period.MONTH: -3, Period.ALL: -4}
"""What stands for a period in the place of a width."""

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

-- The number of the part that a moment is in. For months: the civil calendar from days since 1970.
local function part_of(at, width)
    if width > 0 then return math.floor(at / width) end
    local day = math.floor(at / 86400)
    if width == -1 then return day end
    if width == -2 then return math.floor((day - 4) / 7) end
    if width == -4 then return 0 end
    local shifted = day + 719468
    local era = math.floor(shifted / 146097)
    local of_era = shifted - era * 146097
    local lead = math.floor(of_era / 1460) - math.floor(of_era / 36524) + math.floor(of_era / 146096)
    local year = math.floor((of_era - lead) / 365)
    local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
    local since_march = math.floor((5 * of_year + 2) / 153)
    return (year + era * 400 - 1970) * 12 + since_march + 2
end

-- When a part begins.
local function begin_of(part, width)
    if width > 0 then return part * width end
    if width == -1 then return part * 86400 end
    if width == -2 then return (part * 7 + 4) * 86400 end
    if width == -4 then return part > 0 and math.huge or 0 end
    local since_march = (part + 10) % 12
    local year = math.floor((part - since_march - 2) / 12) + 1970
    local era = math.floor(year / 400)
    local of_era = year - era * 400
    local day = of_era * 365 + math.floor(of_era / 4) - math.floor(of_era / 100)
    return (era * 146097 + day + math.floor((153 * since_march + 2) / 5) - 719468) * 86400
end

-- The parts of a window that count, and their sum. Those that are outlived are forgotten.
local function parts(key, width, behind, ahead, now)
    local current, found, sum = part_of(now, width), {}, 0
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

local lasting = {86400, 7 * 86400, 31 * 86400}

-- A window is forgotten when none of its parts counts any more; that of all times never is.
local function outlive(key, width, behind)
    if width > 0 then
        outlast(key, (behind + 1) * width)
    elseif width > -4 then
        outlast(key, lasting[-width])
    end
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
                    wait = begin_of(part[1] + behind + 1, width) - now
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
        redis.call('HINCRBY', key, whole(part_of(now, width)), whole(amount))
        outlive(key, width, tonumber(ARGV[at + 4]))
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

CHANGE = (
    _COMMON
    + """
local now, lasts = time(ARGV[1]), tonumber(ARGV[2])

for i, key in ipairs(KEYS) do
    local at = 2 + (i - 1) * 6
    local difference, since, width = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 4])
    if width == 0 and difference > 0 then
        redis.call('ZADD', key, exact(now + lasts), ARGV[at + 3])
        outlast(key, lasts)
    elseif width == 0 then
        redis.call('ZREM', key, ARGV[at + 3])
    elseif difference ~= 0 then
        local behind, ahead = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
        parts(key, width, behind, ahead, now)
        local claimed, current = part_of(since, width), part_of(now, width)
        local counts = claimed >= current - behind and claimed <= current + ahead
        local part = whole(counts and claimed or current)
        local adds = difference > 0 and (counts or width > 0)
        if adds or (counts and redis.call('HEXISTS', key, part) == 1) then
            if redis.call('HINCRBY', key, part, whole(difference)) < 0 then
                redis.call('HSET', key, part, '0')
            end
            outlive(key, width, behind)
        end
    end
end
return 1
"""
)
"""KEYS: a window each. ARGV: the time, the seconds that leases last; for each key the difference to what counts, since
when, the lease, and the shape. A running request begins with a difference above 0, and is over with any other.
"""

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

RAISE = (
    _COMMON
    + """
local now = time(ARGV[1])

for i, key in ipairs(KEYS) do
    local at = 1 + (i - 1) * 4
    local amount, width, behind = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    local _, sum = parts(key, width, behind, tonumber(ARGV[at + 4]), now)
    if sum < amount then
        redis.call('HINCRBY', key, whole(part_of(now, width)), whole(amount - sum))
        outlive(key, width, behind)
    end
end
return 1
"""
)
"""KEYS: a window each, of which at least so much counts. ARGV: the time; for each key the amount, and the shape."""
