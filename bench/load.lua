-- Plays signed bodies from a file, each once: a repeat would be another work. With the word `again`, for
-- who keeps nothing, from the beginning when they end.
local requests, at, again = {}, 0, false
wrong, exhausted = 0, 0
local threads = {}

function setup(thread) table.insert(threads, thread) end

function init(args)
  for line in io.lines(args[1]) do
    local signature, body = line:match("^(%S+) (.*)$")
    requests[#requests + 1] = wrk.format("POST", nil, {
      ["Content-Type"] = "application/json", ["X-Request-Signature"] = signature }, body)
  end
  again = args[2] == "again"
end

function request()
  at = at + 1
  if at > #requests then
    if again then at = 1 else exhausted = 1 wrk.thread:stop() return requests[#requests] end
  end
  return requests[at]
end

function response(status, headers, body)
  if status ~= 200 or not (body:find('"OK"', 1, true) or body:find('"status":1', 1, true)) then
    wrong = wrong + 1
    if wrong == 1 then io.stderr:write("not OK: ", tostring(status), " ", body, "\n") end
  end
end

function done(summary, latency, requests)
  local wrongs, ended = 0, 0
  for _, thread in ipairs(threads) do
    wrongs, ended = wrongs + thread:get("wrong"), ended + thread:get("exhausted")
  end
  io.write(string.format("bench %d %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), wrongs, ended))
end
