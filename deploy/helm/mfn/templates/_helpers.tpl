{{/* Name of everything in the release: mfn where the release is called so, else its name and -mfn. */}}
{{- define "mfn.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 46 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" (.Release.Name | trunc 42 | trimSuffix "-") .Chart.Name -}}
{{- end -}}
{{- end -}}

{{/* Labels that find the pods. They must stay the same over versions. */}}
{{- define "mfn.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "mfn.labels" -}}
{{ include "mfn.selector" . }}
app.kubernetes.io/component: server
app.kubernetes.io/part-of: mfn
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "mfn.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* Every setting that the pods get, but MFN_WORKERS. The schema keeps those that the chart sets out of `settings`. */}}
{{- define "mfn.settings" -}}
{{- range $name, $value := .Values.settings }}
{{ $name }}: {{ $value | quote }}
{{- end }}
MFN_HTTP_PORT: "8000"
MFN_GRPC_PORT: "50051"
{{- if .Values.apiKeys.secretName }}
MFN_API_KEYS_FILE: /etc/mfn/keys/api-keys
{{- end }}
{{- if .Values.tls.secretName }}
MFN_TLS_CERTIFICATE_FILE: /etc/mfn/tls/tls.crt
MFN_TLS_KEY_FILE: /etc/mfn/tls/tls.key
{{- end }}
{{- if .Values.tracing.enabled }}
MFN_OTLP_ENDPOINT: {{ .Values.tracing.endpoint | quote }}
{{- end }}
{{- end -}}
