package primer

import "github.com/refundry/refundry/internal/setting"

// Specs describes every setting of the door.
func Specs() []setting.Spec { return nil }
