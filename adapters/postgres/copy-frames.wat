;; Takes the rows of a COPY out of the messages that carry them: one CopyData message a row.
;; https://www.postgresql.org/docs/current/protocol-message-formats.html
;;
;; Memory: from 0 on the state (below), from 64 on the bytes that came (64 KiB), from 65680 on the rows in them.
;; Behind both, 16 bytes are read or written more than there are.
(module
  (memory (export "memory") 3)

  ;; The state:
  ;; 0: bytes of the current message that are still to come
  ;; 4: tabs in it so far
  ;; 8: newlines in it so far
  ;; 12: tabs that each row must have, set by the host
  ;; 16: rows that have ended (i64)
  ;; 24: what is wrong; 0: nothing, 1: a message is not one line, 2: a line has other fields
  ;; 28: where the rows end
  ;; 32: bytes of the rows that have begun, by the lengths of their messages (i64)

  ;; Takes the bytes [at, end), and returns where it stopped: at the end, before a header that is not whole, before a
  ;; message of another type, or where something is wrong.
  (func (export "take") (param $at i32) (param $end i32) (result i32)
    (local $out i32) (local $left i32) (local $tabs i32) (local $newlines i32)
    (local $stop i32) (local $part i32) (local $mask i32) (local $block v128)
    (local.set $out (i32.const 65680))
    (local.set $left (i32.load offset=0 (i32.const 0)))
    (local.set $tabs (i32.load offset=4 (i32.const 0)))
    (local.set $newlines (i32.load offset=8 (i32.const 0)))
    (block $done
      (loop $next
        (if (i32.eqz (local.get $left))
          (then
            (br_if $done (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 5)))
            ;; `d`, a CopyData message
            (br_if $done (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x64)))
            ;; Its length, which counts its own four bytes, has the high byte first.
            (local.set $left (i32.load offset=1 align=1 (local.get $at)))
            (local.set $left
              (i32.sub
                (i32.or
                  (i32.rotl (i32.and (local.get $left) (i32.const 0x00FF00FF)) (i32.const 24))
                  (i32.rotl (i32.and (local.get $left) (i32.const 0xFF00FF00)) (i32.const 8)))
                (i32.const 4)))
            (local.set $at (i32.add (local.get $at) (i32.const 5)))
            (local.set $tabs (i32.const 0))
            (local.set $newlines (i32.const 0))
            (if (i32.lt_s (local.get $left) (i32.const 1))
              (then
                (i32.store offset=24 (i32.const 0) (i32.const 1))
                (br $done)))
            (i64.store offset=32 (i32.const 0)
              (i64.add (i64.load offset=32 (i32.const 0)) (i64.extend_i32_u (local.get $left))))))
        (local.set $part (i32.sub (local.get $end) (local.get $at)))
        (br_if $done (i32.eqz (local.get $part)))
        (if (i32.lt_u (local.get $left) (local.get $part)) (then (local.set $part (local.get $left))))
        (local.set $left (i32.sub (local.get $left) (local.get $part)))
        (local.set $stop (i32.add (local.get $at) (local.get $part)))
        (loop $blocks
          (local.set $block (v128.load align=1 (local.get $at)))
          (v128.store align=1 (local.get $out) (local.get $block))
          (local.set $part (i32.sub (local.get $stop) (local.get $at)))
          (local.set $mask (i32.const -1))
          (if (i32.lt_u (local.get $part) (i32.const 16))
            (then (local.set $mask (i32.sub (i32.shl (i32.const 1) (local.get $part)) (i32.const 1))))
            (else (local.set $part (i32.const 16))))
          (local.set $tabs
            (i32.add (local.get $tabs)
              (i32.popcnt (i32.and (local.get $mask)
                (i8x16.bitmask (i8x16.eq (local.get $block) (i8x16.splat (i32.const 0x09))))))))
          (local.set $newlines
            (i32.add (local.get $newlines)
              (i32.popcnt (i32.and (local.get $mask)
                (i8x16.bitmask (i8x16.eq (local.get $block) (i8x16.splat (i32.const 0x0a))))))))
          (local.set $at (i32.add (local.get $at) (local.get $part)))
          (local.set $out (i32.add (local.get $out) (local.get $part)))
          (br_if $blocks (i32.lt_u (local.get $at) (local.get $stop))))
        (if (i32.eqz (local.get $left))
          (then
            (if (i32.or
                  (i32.ne (local.get $newlines) (i32.const 1))
                  (i32.ne (i32.load8_u (i32.sub (local.get $at) (i32.const 1))) (i32.const 0x0a)))
              (then
                (i32.store offset=24 (i32.const 0) (i32.const 1))
                (br $done)))
            (if (i32.ne (local.get $tabs) (i32.load offset=12 (i32.const 0)))
              (then
                (i32.store offset=24 (i32.const 0) (i32.const 2))
                (br $done)))
            (i64.store offset=16 (i32.const 0)
              (i64.add (i64.load offset=16 (i32.const 0)) (i64.const 1)))))
        (br $next)))
    (i32.store offset=0 (i32.const 0) (local.get $left))
    (i32.store offset=4 (i32.const 0) (local.get $tabs))
    (i32.store offset=8 (i32.const 0) (local.get $newlines))
    (i32.store offset=28 (i32.const 0) (local.get $out))
    (local.get $at)))
