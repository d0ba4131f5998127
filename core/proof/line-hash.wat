;; Hashes each line of a stream with XXH64 (seed 0), without its newline, and adds the hashes up modulo 2^64.
;; The specification: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
;;
;; Memory: from 0 on the state of a stream (7 i64, below), from 64 on the bytes that are to be taken.
;; The host copies the state in and out, so that streams can share this instance.
(module
  (memory (export "memory") 2)

  ;; The state of a stream:
  ;; 0, 8, 16, 24: the four accumulators of the current line, if any stripe of it was taken
  ;; 32: bytes that have gone into them
  ;; 40: sum of the hashes of all lines that have ended
  ;; 48: their number

  (func $round (param $accumulator i64) (param $input i64) (result i64)
    (i64.mul
      (i64.rotl
        (i64.add (local.get $accumulator) (i64.mul (local.get $input) (i64.const 0xC2B2AE3D27D4EB4F)))
        (i64.const 31))
      (i64.const 0x9E3779B185EBCA87)))

  (func $merge (param $hash i64) (param $accumulator i64) (result i64)
    (i64.add
      (i64.mul
        (i64.xor (local.get $hash) (call $round (i64.const 0) (local.get $accumulator)))
        (i64.const 0x9E3779B185EBCA87))
      (i64.const 0x85EBCA77C2B2AE63)))

  ;; Takes whole stripes of 32 bytes of the current line; returns where the rest begins.
  (func $stripes (param $from i32) (param $end i32) (result i32)
    (local $a i64) (local $b i64) (local $c i64) (local $d i64) (local $last i32)
    (local.set $last (i32.sub (local.get $end) (i32.const 32)))
    (if (i32.gt_s (local.get $from) (local.get $last)) (then (return (local.get $from))))
    (if (i64.eqz (i64.load offset=32 (i32.const 0)))
      (then
        (local.set $a (i64.const 0x60EA27EEADC0B5D6))
        (local.set $b (i64.const 0xC2B2AE3D27D4EB4F))
        (local.set $c (i64.const 0))
        (local.set $d (i64.const 0x61C8864E7A143579)))
      (else
        (local.set $a (i64.load offset=0 (i32.const 0)))
        (local.set $b (i64.load offset=8 (i32.const 0)))
        (local.set $c (i64.load offset=16 (i32.const 0)))
        (local.set $d (i64.load offset=24 (i32.const 0)))))
    (i64.store offset=32 (i32.const 0)
      (i64.add
        (i64.load offset=32 (i32.const 0))
        (i64.extend_i32_u (i32.and (i32.sub (local.get $end) (local.get $from)) (i32.const -32)))))
    (loop $next
      (local.set $a (call $round (local.get $a) (i64.load offset=0 (local.get $from))))
      (local.set $b (call $round (local.get $b) (i64.load offset=8 (local.get $from))))
      (local.set $c (call $round (local.get $c) (i64.load offset=16 (local.get $from))))
      (local.set $d (call $round (local.get $d) (i64.load offset=24 (local.get $from))))
      (local.set $from (i32.add (local.get $from) (i32.const 32)))
      (br_if $next (i32.le_s (local.get $from) (local.get $last))))
    (i64.store offset=0 (i32.const 0) (local.get $a))
    (i64.store offset=8 (i32.const 0) (local.get $b))
    (i64.store offset=16 (i32.const 0) (local.get $c))
    (i64.store offset=24 (i32.const 0) (local.get $d))
    (local.get $from))

  ;; Ends the current line, of which [from, end) was not taken yet.
  (func $finish (param $from i32) (param $end i32)
    (local $hash i64) (local $a i64) (local $b i64) (local $c i64) (local $d i64)
    (local.set $from (call $stripes (local.get $from) (local.get $end)))
    (if (i64.eqz (i64.load offset=32 (i32.const 0)))
      (then (local.set $hash (i64.const 0x27D4EB2F165667C5)))
      (else
        (local.set $a (i64.load offset=0 (i32.const 0)))
        (local.set $b (i64.load offset=8 (i32.const 0)))
        (local.set $c (i64.load offset=16 (i32.const 0)))
        (local.set $d (i64.load offset=24 (i32.const 0)))
        (local.set $hash
          (i64.add
            (i64.add (i64.rotl (local.get $a) (i64.const 1)) (i64.rotl (local.get $b) (i64.const 7)))
            (i64.add (i64.rotl (local.get $c) (i64.const 12)) (i64.rotl (local.get $d) (i64.const 18)))))
        (local.set $hash (call $merge (local.get $hash) (local.get $a)))
        (local.set $hash (call $merge (local.get $hash) (local.get $b)))
        (local.set $hash (call $merge (local.get $hash) (local.get $c)))
        (local.set $hash (call $merge (local.get $hash) (local.get $d)))))
    (local.set $hash
      (i64.add
        (local.get $hash)
        (i64.add
          (i64.load offset=32 (i32.const 0))
          (i64.extend_i32_u (i32.sub (local.get $end) (local.get $from))))))
    (block $done8
      (loop $next8
        (br_if $done8 (i32.gt_s (i32.add (local.get $from) (i32.const 8)) (local.get $end)))
        (local.set $hash
          (i64.add
            (i64.mul
              (i64.rotl
                (i64.xor (local.get $hash) (call $round (i64.const 0) (i64.load (local.get $from))))
                (i64.const 27))
              (i64.const 0x9E3779B185EBCA87))
            (i64.const 0x85EBCA77C2B2AE63)))
        (local.set $from (i32.add (local.get $from) (i32.const 8)))
        (br $next8)))
    (if (i32.le_s (i32.add (local.get $from) (i32.const 4)) (local.get $end))
      (then
        (local.set $hash
          (i64.add
            (i64.mul
              (i64.rotl
                (i64.xor
                  (local.get $hash)
                  (i64.mul (i64.load32_u (local.get $from)) (i64.const 0x9E3779B185EBCA87)))
                (i64.const 23))
              (i64.const 0xC2B2AE3D27D4EB4F))
            (i64.const 0x165667B19E3779F9)))
        (local.set $from (i32.add (local.get $from) (i32.const 4)))))
    (block $done1
      (loop $next1
        (br_if $done1 (i32.ge_s (local.get $from) (local.get $end)))
        (local.set $hash
          (i64.mul
            (i64.rotl
              (i64.xor
                (local.get $hash)
                (i64.mul (i64.load8_u (local.get $from)) (i64.const 0x27D4EB2F165667C5)))
              (i64.const 11))
            (i64.const 0x9E3779B185EBCA87)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (br $next1)))
    (local.set $hash
      (i64.mul
        (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 33)))
        (i64.const 0xC2B2AE3D27D4EB4F)))
    (local.set $hash
      (i64.mul
        (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 29)))
        (i64.const 0x165667B19E3779F9)))
    (local.set $hash (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 32))))
    (i64.store offset=40 (i32.const 0) (i64.add (i64.load offset=40 (i32.const 0)) (local.get $hash)))
    (i64.store offset=48 (i32.const 0) (i64.add (i64.load offset=48 (i32.const 0)) (i64.const 1)))
    (i64.store offset=32 (i32.const 0) (i64.const 0)))

  ;; Takes the bytes [64, end), of which those before `new` were left over by the last call, and have no newline.
  ;; Returns how many bytes are left over, less than a stripe; they are moved to 64.
  (func (export "take") (param $new i32) (param $end i32) (result i32)
    (local $line i32) (local $found i32) (local $rest i32)
    (local.set $line (i32.const 64))
    (block $searched
      (loop $search
        (br_if $searched (i32.ge_s (local.get $new) (local.get $end)))
        ;; One bit for each newline among 16 bytes; what lies behind the end does not count.
        (local.set $found
          (i8x16.bitmask (i8x16.eq (v128.load (local.get $new)) (i8x16.splat (i32.const 10)))))
        (if (i32.gt_s (i32.add (local.get $new) (i32.const 16)) (local.get $end))
          (then
            (local.set $found
              (i32.and
                (local.get $found)
                (i32.sub
                  (i32.shl (i32.const 1) (i32.sub (local.get $end) (local.get $new)))
                  (i32.const 1))))))
        (block $none
          (loop $each
            (br_if $none (i32.eqz (local.get $found)))
            (local.set $rest (i32.add (local.get $new) (i32.ctz (local.get $found))))
            (call $finish (local.get $line) (local.get $rest))
            (local.set $line (i32.add (local.get $rest) (i32.const 1)))
            (local.set $found (i32.and (local.get $found) (i32.sub (local.get $found) (i32.const 1))))
            (br $each)))
        (local.set $new (i32.add (local.get $new) (i32.const 16)))
        (br $search)))
    (local.set $line (call $stripes (local.get $line) (local.get $end)))
    (local.set $rest (i32.sub (local.get $end) (local.get $line)))
    (memory.copy (i32.const 64) (local.get $line) (local.get $rest))
    (local.get $rest)))
