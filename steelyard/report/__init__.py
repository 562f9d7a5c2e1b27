"""Records to tables, tables to drawings, drawings to one page."""
