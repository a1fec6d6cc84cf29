-- One address again and again. Arguments after "--": the path, then a token where one is needed; the seed.

dofile("told.lua")

local path, headers

function init(args)
  path = args[1]
  headers = args[3] and { Authorization = "Bearer " .. args[2] } or {}
end

function request()
  return wrk.format("GET", path, headers)
end
