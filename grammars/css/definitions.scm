(rule_set (selectors) @name (block) @body) @definition.rule
; These go by their header.
(media_statement (block) @body) @definition.rule
(supports_statement (block) @body) @definition.rule
(keyframes_statement (keyframes_name) @name (keyframe_block_list) @body) @definition.rule
(at_rule (block) @body) @definition.rule
(declaration (property_name) @name (#starts-with? @name "--")) @definition.variable

(import_statement) @import
