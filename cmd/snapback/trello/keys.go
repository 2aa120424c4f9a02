package trello

import (
	"reflect"
	"strings"
)

// readKeys are the keys this package reads, by object.
var readKeys = map[string]map[string]bool{
	"list":        keysOf(List{}),
	"card":        keysOf(Card{}),
	"label":       keysOf(Label{}),
	"member":      keysOf(Member{}),
	"membership":  keysOf(Membership{}),
	"checklist":   keysOf(Checklist{}),
	"item":        keysOf(CheckItem{}),
	"customField": keysOf(CustomField{}),
}

func keysOf(v any) map[string]bool {
	keys := map[string]bool{}
	for t, i := reflect.TypeOf(v), 0; i < t.NumField(); i++ {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		keys[name] = true
	}
	return keys
}

// bookkeeping are keys that say nothing about the board's content: Trello's
// own machinery, things derived from others, or what belongs to the person who
// exported.
var bookkeeping = set(`
board.nodeId board.descData board.dateClosed board.idOrganization board.idEnterprise board.limits
board.pinned board.starred board.url board.shortUrl board.shortLink board.subscribed board.labelNames
board.dateLastView board.idTags board.datePluginDisable board.creationMethod board.ixUpdate
board.enterpriseOwned board.idBoardSource board.premiumFeatures board.templateGallery board.type
card.nodeId card.checkItemStates card.descData card.idBoard card.idChecklists card.idAttachmentCover
card.labels card.limits card.manualCoverAttachment card.shortLink card.shortUrl card.url
card.creationMethod card.creationMethodError card.creationMethodLoadingStartedAt card.staticMapUrl
card.badges card.idOrganization card.dateViewedByCreator card.subscribed card.agent card.checklists
list.nodeId list.idBoard list.limits list.creationMethod list.subscribed list.datasource list.idOrganization list.type
label.nodeId label.idBoard label.idOrganization label.uses
checklist.nodeId checklist.idBoard checklist.limits checklist.creationMethod
item.nodeId item.nameData item.idChecklist item.creationMethod item.limits
customField.nodeId customField.idModel customField.modelType customField.fieldGroup customField.display
customField.isSuggestedField customField.limits
membership.id membership.orgMemberType membership.lastActive
member.aaId member.activityBlocked member.avatarHash member.bio member.bioData member.confirmed
member.idEnterprise member.idEnterprisesDeactivated member.idMemberReferrer member.idPremOrgsAdmin
member.initials member.memberType member.nonPublic member.nonPublicAvailable member.products
member.url member.status member.email member.nodeId member.aaBlockSyncUntil member.aaEmail
member.aaEnrolledDate member.credentialsRemovedCount member.domainClaimed member.dateLastImpression
member.dateLastActive member.membershipPriority`)

// restNames are the words for what is not carried over, by key.
var restNames = map[string]string{
	"board.pluginData":     "power-up data",
	"card.pluginData":      "power-up data",
	"board.powerUps":       "power-ups",
	"card.stickers":        "stickers",
	"card.email":           "mail addresses of cards",
	"card.dueReminder":     "due reminders",
	"item.dueReminder":     "due reminders",
	"card.isTemplate":      "template cards (they are ordinary cards now)",
	"card.cardRole":        "card roles (link, separator, mirror)",
	"card.mirrorSourceId":  "mirror links of cards",
	"list.softLimitMode":   "soft limit modes",
	"board.customBoardIds": "custom board ids",
}

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}
