# A promise holds to its last second, and until somebody acts on its end.
bucket photos
put photos/a 64KiB
delete photos/a
advance 86399s
reclaim
restore photos/a
get photos/a 64KiB
delete photos/a
advance 1d
restore photos/a
get photos/a 64KiB
delete photos/a
advance 1d
reclaim
restore photos/a refused Unknown
disk empty

put photos/b 64KiB
delete bucket photos
advance 604799s
reclaim
restore bucket photos
get photos/b 64KiB
delete bucket photos
advance 7d
restore bucket photos
get photos/b 64KiB
reclaim
get photos/b 64KiB
delete bucket photos
advance 7d
reclaim
restore bucket photos refused PurgeInProgress
advance 30s
reclaim
disk empty
check
