-- Plays signed bodies from a file, each once: a repeat would be a replay.
local requests, at = {}, 0
function init(args)
  for line in io.lines(args[1]) do
    local signature, body = line:match("^(%S+) (.*)$")
    requests[#requests + 1] = wrk.format("POST", nil, {
      ["Content-Type"] = "application/json", ["X-Request-Signature"] = signature }, body)
  end
  if #args > 1 then at = tonumber(args[2]) end
end
function request()
  at = at + 1
  if at > #requests then wrk.thread:stop() return requests[#requests] end
  return requests[at]
end
local wrong = 0
function response(status, headers, body)
  if status ~= 200 or not body:find('"OK"', 1, true) then
    wrong = wrong + 1
    if wrong == 1 then io.stderr:write("not OK: ", tostring(status), " ", body, "\n") end
  end
end
