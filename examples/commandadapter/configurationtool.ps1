# Answers ServiceCenter.UploadLicense with the Configuration Tool of the server
# that it runs on, elevated (facts.md 3.5). It is started by package
# adapters/command of changeover, whose schema.md says what it reads and writes:
#
#   command.New(command.Options{
#       Path: `C:\Program Files\PowerShell\7\pwsh.exe`,
#       Args: []string{"-NoProfile", "-NonInteractive", "-File", `D:\changeover\configurationtool.ps1`},
#       Env:  []string{"SC_USER=" + user, "SC_PASSWORD=" + password},
#   })
#
# The tool can neither read the licensing page nor publish: those methods are
# answered with "unsupported", and belong to another adapter or a person.
#
# The tool takes the password as an argument, which administrators of that
# server can read while it runs. It knows no other way.
#
# No test runs this file: it needs a server.

$ErrorActionPreference = 'Stop'  # then PowerShell ends with 1: nobody knows
[Console]::InputEncoding = [Text.UTF8Encoding]::new($false)
[Console]::OutputEncoding = [Text.UTF8Encoding]::new($false)

function Stop-Because([int] $code, [string] $reason) {
    [Console]::Error.WriteLine($reason)
    exit $code
}

$request = [Console]::In.ReadToEnd() | ConvertFrom-Json
if ($request.version -ne 1 -or $request.port -ne 'ServiceCenter' -or $request.method -ne 'UploadLicense') {
    Stop-Because 217 'this script does UploadLicense only'  # unsupported
}

# Nothing has been changed so far, so that a reason may be given.
$tool = 'C:\Program Files\OutSystems\Platform Server\ConfigurationTool.com'
if (-not (Test-Path -LiteralPath $tool)) {
    Stop-Because 210 'there is no Configuration Tool on this server'  # notReached
}
$serial = (& $tool /GetSerial) -join "`n"
if ($LASTEXITCODE -ne 0 -or -not $serial.Contains($request.environment.serial)) {
    Stop-Because 210 "this is not the server of $($request.environment.name)"  # notReached
}

$file = [IO.Path]::GetTempFileName()
try {
    [IO.File]::WriteAllBytes($file, [Convert]::FromBase64String($request.file))
    # What the tool prints is not handed on: it might repeat its arguments.
    & $tool /UploadLicense $file $env:SC_USER $env:SC_PASSWORD *> $null
    $code = $LASTEXITCODE
}
finally {
    Remove-Item -LiteralPath $file
}
# The tool says 0 or not 0, and there is no table of codes: what is not 0 is
# unknown, and not "rejected", which would assert that nothing was installed.
if ($code -ne 0) {
    Stop-Because 1 "the Configuration Tool ended with $code; see C:\Windows\Temp\ConfigurationTool.log"
}
[Console]::Out.WriteLine('{"version":1,"method":"UploadLicense"}')
exit 0
