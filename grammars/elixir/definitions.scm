((call
  target: (identifier) @_keyword
  (arguments . (_) @name)
  (do_block)? @body) @definition.module
  (#any-of? @_keyword "defmodule" "defimpl"))
((call
  target: (identifier) @_keyword
  (arguments . (_) @name)
  (do_block)? @body) @definition.interface
  (#eq? @_keyword "defprotocol"))
((call
  target: (identifier) @_keyword
  (arguments . (binary_operator left: (call target: (identifier) @name)))
  (do_block)? @body) @definition.macro
  (#any-of? @_keyword "defmacro" "defmacrop" "defguard" "defguardp"))
((call
  target: (identifier) @_keyword
  (arguments . (call target: (identifier) @name))
  (do_block)? @body) @definition.macro
  (#any-of? @_keyword "defmacro" "defmacrop"))
((call
  target: (identifier) @_keyword
  (arguments . (call target: (identifier) @name))
  (do_block)? @body) @definition.function
  (#any-of? @_keyword "def" "defp" "defdelegate" "defn" "defnp"))
((call
  target: (identifier) @_keyword
  (arguments . (binary_operator left: (call target: (identifier) @name)))
  (do_block)? @body) @definition.function
  (#any-of? @_keyword "def" "defp" "defn" "defnp"))
((call
  target: (identifier) @_keyword
  (arguments . (identifier) @name)
  (do_block)? @body) @definition.function
  (#any-of? @_keyword "def" "defp"))
((call
  target: (identifier) @_keyword
  (arguments . (string) @name)
  (do_block) @body) @definition.test
  (#any-of? @_keyword "test" "describe" "property" "feature"))
((call target: (identifier) @name) @definition.struct
  (#any-of? @name "defstruct" "defexception"))

((call target: (identifier) @_keyword) @import
  (#any-of? @_keyword "use" "alias" "import" "require"))
