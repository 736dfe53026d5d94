package payment

// mayFail refuses what is about a payment for which as much has failed as a
// door allows; 0: any number.
func (p Payment) mayFail(limit int64) error {
	if limit > 0 && p.Failures >= limit {
		return refuse(RuleFailures, "too many calls about the payment have failed")
	}
	return nil
}

// countFailure counts a refusal. Nothing else of the payment changes, its
// version neither: nobody is shown the number.
func (b *Book) countFailure(v View) {
	change, ok := b.views[bookKey{v.Payment.Tenant, v.Payment.ID}]
	if !ok {
		return
	}
	change.View.Payment.Failures++
	if !change.changed {
		change.changed = true
		b.Changes.Views = append(b.Changes.Views, change)
	}
}
