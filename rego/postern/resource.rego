# METADATA
# title: The datastore that is asked
# description: >-
#   For policies. A datastore that does not say what it is counts as production.
# scope: package
# schemas:
#   - input: schema.input
package postern.resource

default production := true

production := false if input.resource.labels.env in ["development", "test", "staging"]
