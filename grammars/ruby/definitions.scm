(class name: (_) @name body: (_)? @body) @definition.class
(module name: (_) @name body: (_)? @body) @definition.module
(method name: (_) @name body: (_)? @body) @definition.function
(singleton_method name: (_) @name body: (_)? @body) @definition.method
(assignment left: [(constant) (scope_resolution)] @name) @definition.constant

; Tests that are named by a text or by what they test.
(call
  method: (identifier) @_test
  arguments: (argument_list . [(string) (constant) (scope_resolution)] @name)
  block: [(do_block) (block)] @body
  (#any-of? @_test "describe" "context" "it" "specify" "feature" "scenario" "test" "shared_examples"
    "shared_examples_for" "shared_context" "fdescribe" "fcontext" "fit" "xdescribe" "xcontext" "xit"))
  @definition.test

(call
  method: (identifier) @_require
  (#any-of? @_require "require" "require_relative" "load" "autoload")) @import
