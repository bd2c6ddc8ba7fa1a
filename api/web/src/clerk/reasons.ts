/** The codes for which rows are returned: of their form first, then of the comparison; each has its words. */

export const REASONS = [
  'missing',
  'form',
  'excel_damaged',
  'check_digit',
  'bad_code',
  'bad_date',
  'future_date',
  'unknown_value',
  'contradiction',
  'unknown_reference',
  'unknown_division',
  'address_unknown',
  'address_ambiguous',
  'address_coarse',
  'duplicate',
  'erased',
  'conflict',
  'identity',
  'unknown_entity',
  'ended',
]
