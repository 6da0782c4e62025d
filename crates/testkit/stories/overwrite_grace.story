# What is overwritten is kept as long as what is deleted.
bucket photos
put photos/a "one"
advance 12h
put photos/a "second"
put photos/a 64KiB
advance 23h
reclaim
show photos
  bucket live
  a removed 3 overwrite
  a removed 6 overwrite
  a live 65536

# Restored in place of what overwrote it, which is then what can be restored.
restore photos/a refused NameInUse
restore photos/a replace
get photos/a "second"
show photos
  bucket live
  a removed 3 overwrite
  a live 6
  a removed 65536 restore
restore photos/a replace
get photos/a 64KiB
restore photos/a replace
get photos/a "second"

advance 1h
reclaim
show photos
  bucket live
  a purged overwrite
  a live 6
  a removed 65536 restore
advance 23h
reclaim
show photos
  bucket live
  a purged overwrite
  a live 6
  a purged restore
disk holds 1
get photos/a "second"
check
