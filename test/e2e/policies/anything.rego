# METADATA
# title: Tests may do anything but drop tables
# scope: package
package policies.anything

allow contains {"code": "anything"}

deny contains {"code": "no_drops", "message": "nobody drops tables here"} if {
	input.action.name == "drop_table"
}
