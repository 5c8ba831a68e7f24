import faulthandler,hashlib as G,io,numpy as H,os as i,signal,subprocess,sys as d,time as l,torch as e,torch.distributed as r,torch.nn.functional as I,traceback,zlib
from functools import partial as h
from pathlib import Path as t
from sentencepiece import SentencePieceProcessor
from torch import nn as J
from typing import NamedTuple as a
def er():
 a=i.environ.get;o=int(a('RANK',0));t=int(a('WORLD_SIZE',1));l=int(a('LOCAL_RANK',0))
 if t<1 or 8%t:raise ValueError(f"WORLD_SIZE is {t}, wanted a divisor of 8, the micro-batches of a step")
 return o,t,l
def eh():
 global u,oz,c,n;o,t,l=er();a='gloo';h=e.device('cpu')
 if e.cuda.is_available():a='nccl';h=e.device('cuda',l);e.cuda.set_device(h)
 if t>1:r.init_process_group(a)
 c=o;n=t;oz=l;u=h
def el():
 if n>1:r.destroy_process_group()
def ed(a):
 if n>1:r.all_reduce(a)
 return a
def ec(value):
 a=[value]*n
 if n>1:r.all_gather_object(a,value)
 return a
def eu(value):
 if n==1:return value
 a=e.tensor(value,dtype=e.float64,device=u);r.all_reduce(a,r.ReduceOp.MAX);return a.item()
def em(a):
 if a.grad is None:a.grad=e.zeros_like(a)
 return a.grad
def ef(l):
 i=[em(a)for a in l]
 if n>1:
  s=e.cat([t.flatten()for t in i]);r.all_reduce(s);o=(s/n).split([t.numel()for t in i])
  for(t,m)in zip(i,o,strict=True):t.copy_(m.view_as(t))
def ep(o,t):
 if not o.o:return t,
 e=range(o.shape[0]//len(o.o));return tuple(a.format(n)for a in o.o for n in e)
def p(s):
 l=[]
 for o in s:
  if o.o:
   e=range(o.shape[0]//len(o.o))
   for(a,h)in zip(o.o,o.init,strict=True):l+=[(a.format(n),h,o)for n in e]
  else:l+=[(t,o.init,o)for t in o.r()]
 return l
def eg(h,s,i):
 for o in s:
  r=i if o.dtype=='activation'else e.float32
  for t in o.r():
   *l,d=t.split('.');a=h
   for n in l:
    if n not in a._modules:a.add_module(n,J.ModuleList())
    a=a._modules[n]
   a.register_parameter(d,J.Parameter(e.empty(o.shape,dtype=r,device=u)))
def ew(t):n=G.sha256(f"{R}:{t}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(n[:7],'little'))
def ey(s,r):
 i=g(f.state_dict(),s)
 for(t,h,u)in p(s):o=e.empty(i[t].shape);h(o,ew(t),r);i[t].copy_(o)
def g(i,s):
 l=[]
 for o in s:
  for t in o.r():l+=i[t].unbind()if o.o else[i[t]]
 return{t:a for((t,u,u),a)in zip(p(s),l,strict=True)}
def eb(tensor,generator,ledger):tensor.zero_()
def w(tensor,generator,ledger):tensor.fill_(1.)
def ev(tensor,generator,ledger,value):tensor.fill_(value)
def ek(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
class ex:
 def __init__(e):e.x=None;e.F=None;n=[(f.get_parameter(t),ep(o,t),o)for o in Y for t in o.r()];e.tensors=[a for(a,i,o)in n];e.names=[i for(a,i,o)in n];e.replicated=[a for(a,i,o)in n if o.reduction=='replicated'];e.c=[a for(a,i,o)in n if o.u];e.y=[i for(a,i,o)in n if o.u];l=[a for(a,i,o)in n if o.group=='matrix'];s=[i for(a,i,o)in n if o.group=='matrix'];aM(l,s);h=[(u,[a for(a,i,o)in n if o.group==u.name],[i for(a,i,o)in n if o.group==u.name])for u in oa];aJ(h)
 @e.no_grad()
 def step(e,scalars,ledger):
  aN();ef(e.replicated);aK(scalars,ledger);aO(scalars,ledger)
  for a in e.tensors:a.grad=None
def ej(t):
 if e.cuda.is_available():return e.compile(t,dynamic=False,fullgraph=True)
 return t
def eq(l):
 global L
 if L is None:L=ej(oi)
 return L(l.bfloat16(),5)
def ez():return{}
def eA(l,i):l=eq(l).contiguous();return l
def eB(a,l,i,t):eC(a,l,.04*t.s)
def eC(a,l,n):a.add_(l,alpha=-n*1.)
def eD(t,a,n):a.mul_(n).add_(t);return t.add(a,alpha=n)
def eE(a):return max(1,a.shape[-2]/a.shape[-1])**.5
def eF():
 t=''
 try:aZ()
 except(OSError,ValueError)as h:t=f"{ee}: {h}"
 for(o,a)in enumerate(ec(t)):
  if a:raise ValueError(f"{a} (on rank {o})"if o else a)
def eG(a):
 if a is not None:o(f"prepared {ee}: {a}")
class Param(a):
 name:a;shape:a;group:a;j:a;init:a=None;k:a='';dtype:a='float32';layers:a=0;o:a=();reduction:a='replicated';z:a='';u:a=True;C:a=True;export:a='yes';g:a=0
 def r(e):return[e.name.format(n)for n in range(e.g,e.layers)]or[e.name]
class Group(a):name:a;lr:a;weight_decay:a=.0
class y:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def i(e,i,a):e.done[i,'']=a
 def q(e,i):return', '.join(f"{n} {a}".strip()for((t,a),n)in e.done.items()if t==i and n)
def eH(i,n):return(i/b(n)).round().clamp(-127,127).to(e.int8)
def b(n):return n[:,None]if n.ndim else n
def eI(o,n,i):return(o.float()*b(n).float()).to(i)
def eJ(i):
 if i.ndim==2:a=e.quantile(i.abs(),.9999984,1);n=(a/127).clamp_min(1/127);t=n.half()
 else:a=e.quantile(i.abs().flatten(),.9999984);t=n=a/127 if a>0 else a+1
 a=b(a);return eH(i.clamp(-a,a),n),t
def eK(o,i):
 if'kept'in o:return o['kept'].to(i)
 return eI(o['codes'],o['step'],i)
def v(t,n):
 a=i.environ.get(t,n)
 try:return int(a)
 except ValueError:raise ValueError(f"{t} is {a!r}, wanted a whole number like {n!r}")from None
def eL():
 a=i.environ.get('MAX_WALLCLOCK_SECONDS',6e2)
 try:return float(a)
 except ValueError:raise ValueError(f"MAX_WALLCLOCK_SECONDS is {a!r}, wanted seconds like 600.0")from None
def eM():global N,O,s,P,oh,Q,R,S,ol,od;a=i.environ.get;N=a('DATA_PATH','./data/datasets/fineweb10B_sp1024');O='export'in d.argv;s=v('ITERATIONS',20000);P=eL();oh=a('RUN_ID',str(l.time_ns()));Q='score'in d.argv;R=v('SEED',1337);S=a('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');ol=v('TRAIN_LOG_EVERY',200);od=v('VAL_LOSS_EVERY',1000)
class Score(a):val_loss:a;l:a;A:a;p:a
def eN(n):
 if n.numel():raise ValueError(f"target {n[0]} of the validation stream is not scored")
def eO(n):i=eo[n].to(u,e.int64);a=i[:,:-1].contiguous();return a,i[:,1:].contiguous(),eP(a)
def eP(i):return{}
def eQ(t,d,n,h):
 f=n[:,1:];t[f[h]]=d;tE(f"eval: batch {d}");a,i,l=eO(n)
 with e.set_grad_enabled(False):c=om(a,i,phases=tH(),fields=l,reduction='none',adapter=None)
 s=aF(a,i,f.to(u));r=h.to(u);o=c.detach().double()*r,r,s*r;return c,e.stack([m.sum().double()for m in o])
def eR(t,a):
 if n>1:t=t.to(u);r.all_reduce(t,a)
 return t.cpu()
def eS(t,a,i):
 eN(1+(t[1:]==0).nonzero().flatten());o,n,e=ed(a).tolist()
 if n>len(t)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(o/n,o/.6931471805599453/e,int(n),1e3*(l.perf_counter()-i))
def eT(scored_at):
 if c==0:l=f"logs/{oh}.scores.npz";H.savez_compressed(l,scored_at=scored_at.numpy())
class Span(a):start:a;end:a;g:a
def eU(a):return[Span(o,o+1024,0)for o in range(0,(a-1)//1024*1024,1024)]
def eV(a):return a[len(a)*c//n:len(a)*(c+1)//n]
def eW(s):
 n=e.zeros(ea,1025,dtype=e.int64);h=e.zeros(ea,1024,dtype=e.bool)
 for(a,(o,t,d))in enumerate(s):n[a,:t+1-o]=e.arange(o,t+1);h[a,d:t-o]=True
 return n,h
def eX(s):
 i=l.perf_counter();f.eval();s=eV(s);t=e.zeros(len(eo),dtype=e.int32);a=e.zeros(3,dtype=e.float64,device=u)
 for(o,d)in enumerate(range(0,len(s),ea),1):n,h=eW(s[d:d+ea]);a+=eQ(t,o,n,h)[1]
 f.train();t=eR(t,r.ReduceOp.MAX);return eS(t,a,i),t
def eY():return{t:o.j for(t,u,o)in p(Y)if o.export!='drop'}
def eZ(i,s,u=0):
 e=eY();n={}
 for(t,l)in e.items():a=i[t];r=s.get(t,{});o=M[l].encode(t,a,r,m);n[t]={h:d.cpu()for(h,d)in o.items()}
 return te(n)
def te(n):return n
def tt(n):return aA(aq(n))
def ta(data,i):
 t=2**20+sum(8*a.numel()+4096 for a in i.values())
 try:return az(aB(data,t))
 except Exception as h:raise ValueError(f"the artifact cannot be read: {str(h).partition(chr(10))[0]}")from h
def to(t,o,l,i):a=M[l].decode(t,o,i);return a
def ti(n,i):
 e=eY()
 if n.keys()!=e.keys():raise ValueError("the artifact's tensors are not the model's")
 for(t,l)in e.items():
  try:a=tn(t,n[t],l,i[t].dtype)
  except Exception as h:raise ValueError(f"the artifact's {t} cannot be decoded: {h!r}")from h
  if a.shape!=i[t].shape:raise ValueError(f"{t}: shape {[*a.shape]}, wanted {[*i[t].shape]}")
  i[t].copy_(a)
def tn(t,o,l,i):return to(t,o,l,i)
def ts(a):
 global T,U,oc;oc=c;T=c==0;t('logs').mkdir(exist_ok=True);U=t('logs',a+'.txt')
 if T and not O:U.write_text('')
 d.excepthook=h(th,U);faulthandler.register(signal.SIGTERM,U.open('a'),chain=True)
def o(a):
 if T:
  print(a,flush=True)
  with U.open('a')as n:print(a,file=n)
def tr(a):
 if T:o(f"error: {a}")
 elif a not in U.read_text():
  with U.open('a')as n:print(f"rank {oc}: error: {a}",file=n)
def th(path,kind,h,trace):
 with path.open('a')as n:traceback.print_exception(h,file=n)
 d.__excepthook__(kind,h,trace)
def tl():
 n=G.sha256(t(d.argv[0]).read_bytes()).hexdigest();a=f"hardware:{i.uname().machine} CPU, {e.get_num_threads()} threads"
 if u.type=='cuda':a=subprocess.getoutput('nvidia-smi')
 o(f"Running Python {d.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{n}\n{a}")
def k():return len(t(d.argv[0]).read_bytes())
oe='final_model.pt'
def j():return M['mlp'].name
def td():return t(f"final_model.{j()}.ptz")
def tc(n):
 i=g(f.state_dict(),Y)
 if c==0:t('final_export.pt').unlink(missing_ok=True);q(h(e.save,i),'final_model.pt')
 s=tp()
 if c==0:l=s,m.done,Z,et,W;q(h(e.save,l),'final_export.pt')
 tu(i,s)
def tu(i,s):
 a=tI();C('diagnostic','val');o(f"diagnostic pre-quantization post-ema val_loss:{a.val_loss:.8f} val_bpb:{a.l:.8f} eval_time:{a.p:.0f}ms")
 if c==0:tg(i,s)
 eu(.0);ty()
def q(e,l):
 a=t('final_model.tmp')
 try:
  e(a)
  with a.open('rb')as n:i.fsync(n.fileno())
  a.replace(l)
 finally:a.unlink(missing_ok=True)
def tm():
 global W,et,Z;i=g(f.state_dict(),Y);n=tf('final_model.pt');l=tf('final_export.pt');e=[t for t in i if t not in n or n[t].shape!=i[t].shape]
 if e:raise ValueError(f"final_model.pt is of another model: {e[0]} is missing or has another shape")
 for(t,a)in i.items():a.copy_(n[t])
 s,o,Z,et,W=l;m.done.update(o);tD(W);tu(i,s)
def tf(l):
 try:return e.load(l,u,weights_only=True)
 except OSError:raise
 except Exception as h:raise ValueError(f"{l} is damaged: {str(h)[:99]!r}")from h
def tp():global V;s={};V=False;return s
def tg(i,s):n=eZ(i,s,k());C('quantize','none');r=tt(n);C('compress','none');q(h(t.write_bytes,data=r),td());e=f"{j()}+zlib";o(f"Serialized model: {t(oe).stat().st_size} bytes\nCode size: {k()} bytes\nSerialized model {e}: {len(r)} bytes\nTotal submission size {e}: {len(r)+k()} bytes")
def tw():
 i=g(f.state_dict(),Y)
 for a in i.values():a.zero_()
 r=td().read_bytes();n=G.sha256(r).hexdigest()
 if Q:
  e=''.join(l.read_text()for l in t('logs').glob('*.txt'))
  if'artifact_sha256:'in e and n not in e:raise ValueError('the artifact is not that of the logs in logs/')
 o('artifact_sha256:'+n);ti(ta(r,i),i)
def ty():n=j();tw();C('decode','none');a,t=eX(eU(len(eo)));C('score','val');tb(f"{n}_zlib_roundtrip",a);eT(t);m.count('chunked_eval','targets',a.A)
def tb(e,a):o(f"final_{e} val_loss:{a.val_loss:.4f} val_bpb:{a.l:.4f} eval_time:{a.p:.0f}ms\nfinal_{e}_exact val_loss:{a.val_loss:.8f} val_bpb:{a.l:.8f}")
def tv():
 a=[];n=False
 for t in on:
  e=m.q(t)
  if e and t not in a:o(f"receipt {t}: {e}")
  else:o(f"error: plugin {t} did nothing");n=c==0
 return n
class Progress(a):step:a;v:a;f:a;m:a;D:a;s:a
class Scalars(a):s:a;B:a;momentum:a
def tk(n,i,l):t=i/l if l>0 else n/max(s,1);return Progress(n,s,i,l,t,1.)
class Context(a):
 ids:a;phases:a;training:a;n:a;memo:a;fields:a;d:a;w:a;ledger:a
 def t(e,i,a,n=1):
  if e.ledger is not None:e.ledger.count(i,a,n)
def z(a):return I.rms_norm(a,(a.size(-1),),eps=1.1920929e-07)
def tx(i):return i
def tj(i,a,l,n,o,t):
 i=tx(i)
 if t.w is not None:t.w(l,n,a)
 return A(I.linear(a,i.to(a.dtype)),a,l,o,t)
def A(i,a,n,o,t):
 if t.d is not None and n in t.d.sites:i=i+t.d.delta(a,n,o)
 return i
def tq(a,t):
 if'rope'not in t.memo:o=a.size(1);n=a.size(3);h=a.device;l=1e4**(-e.arange(0,n,2,dtype=e.float32,device=h)/n);r=e.outer(e.arange(o,dtype=e.float32,device=h),l);t.memo['rope']=r.cos(),r.sin()
 d,u=(m[None,:,None,:].to(a.dtype)for m in t.memo['rope']);i,s=a.chunk(2,-1);return e.cat((i*d+s*u,s*d-i*u),-1)
class GPT(J.Module):
 def __init__(e,s,i):super().__init__();e.E=None;e.x=None;e.records=s;eg(e,s,i)
 def matrices(e):return g(dict(e.named_parameters()),e.records)
 def matrix(e,role,layer,position,ctx):return tx(ctx.n[f"blocks.{layer}.{role}.weight"])
 def h(e,a,l,n,o,t):return tj(t.n[f"blocks.{n}.{l}.weight"],a,l,n,o,t)
 def stem(e,ids,ctx):a=I.embedding(ids,ctx.n['tok_emb.weight']);a=z(a);return a
 def b(e,i,t):a=e.stem(i,t);return z(ay(e,a,a,t))
 def logits(e,x,ctx):
  n=av(x,ctx)
  for s in oo:n=s(e,n,ctx)
  return n
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):h=fields or{};s={};fields={**s,**h};t=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);a=e.b(ids,t);n=e.logits(a,t);d=an(n,targets,reduction,t);return d
def tz(a):
 a=t(a);n=sorted(l for l in a.parent.glob(a.name)if('_bytes_'in l.name)==('_bytes_'in a.name))
 if not n:raise ValueError(f"{a}: no shard matches, see DATA_PATH")
 return n
def tA(l):
 e=t(l).stat().st_size;a=H.fromfile(l,'<i4',3).tolist()
 if e<=1024 or a!=[20240520,1,(e-1024)/2]:raise ValueError(f"{l}: {e} bytes and header {a}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return a[2]
def B(l):
 n=H.memmap(l,'<u2','r',1024,tA(l))
 if n.max()>=1024:raise ValueError(f"{l}: token {n.argmax()} is {n.max()}, wanted an id below 1024")
 return n
def tB(a):
 n=H.concatenate([B(l)for l in tz(a)])
 if len(n)<=1024:raise ValueError(f"{a}: {len(n)} tokens, wanted at least 1025")
 return e.from_numpy(n[:(len(n)-1)//1024*1024+1])
def tC():global W,ou,X;W=.0;ou=X=l.perf_counter()
def tD(i):global ou;ou=l.perf_counter()-i/1e3
def C(t,data):global W,X;a=1e3*(l.perf_counter()-ou);o(f"stage:{t} begin:{W:.0f}ms end:{a:.0f}ms data:{data}");W=a;X=l.perf_counter()
def tE(a):
 global X
 if l.perf_counter()>X+10:X=l.perf_counter();o(a)
def tF(s,r):global et,om,m,f,Y,Z,ee,ea,eo,V;Y=s;m=r;Z=();ee='';tC();et=False;V=not(Q or O);ea=max(64,1);i=e.bfloat16 if u.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;f=GPT(s,i);ey(s,r);om=ej(f);a=t(N,'fineweb_val_*.bin');eo=tB(a);aE(r);n=G.sha256(eo.numpy().data).hexdigest();o(f"val_loader:shards pattern={a} tokens:{len(eo)-1}\nval_sha256:{n}")
def D(r):a=t(N,'fineweb_train_*.bin');aG(a,r)
def tG():
 if not V:raise ValueError('training data are closed: training time is over')
 o=aI((524288,1024)[0]//8,(524288,1024)[1]);a,i=(m.to(u,non_blocking=True)for m in o);return a,i,{}
def tH():return tuple(u.name for u in()if u.scoring and u.name in Z)
def tI():return eX(eU(len(eo)))[0]
def tJ():a=[()];return a
def tK():
 a,i,l=tG();a,i=a[:1,:512],i[:1,:512];l={t:d[:1,:512]for(t,d)in l.items()};n=tuple(u.name for u in());f(a,i,phases=n,fields=l,ledger=m).backward()
 for o in Y:e=sum(f.get_parameter(t).grad is not None for t in o.r());m.count(o.k,'trained tensors',e)
 f.zero_grad()
def tL():
 i=f.state_dict();l={t:a.clone()for(t,a)in i.items()};h=ex();s=y();D(s)
 for r in tJ():
  for n in range(20):tQ(h,r,Scalars(1.,1.,.9),s);o(' '.join((f"warmup_step:{n+1}/20",*r)))
 for(t,a)in i.items():a.copy_(l[t])
 e.manual_seed(R);D(m)
def tM(s):
 try:eM();eh();r=y()
 except ValueError as h:print(f"error: {h}",file=d.stderr);d.exit(2)
 a=ec(oh)[0];ts(a);e.manual_seed(R);e.backends.cuda.matmul.allow_tf32=True
 if P==0:tO()
 tl();o('plugins:'+' '.join(on));tN(s,r)
 if V:
  tP();tK();tL();n=tT()
  try:tc(n)
  except(OSError,ValueError)as h:tr(str(h));d.exit(f"error: rank {c}: {h}")
 t=not Q and(tv()or et);el()
 if t:d.exit(1)
def tN(s,r):
 global Z
 try:
  tF(s,r);eF()
  if O:tm()
  elif Q:Z=tuple(u.name for u in());ty()
  else:D(y())
  return
 except(OSError,ValueError)as h:
  tr(str(h))
  if not O:el()
  d.exit(2)
def tO():i.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tP():o(f"model_params:{sum(a.numel()for a in f.parameters())}\nworld_size:{n} grad_accum_steps:{8//n}\nseed:{R}\ntrain_batch_tokens:524288 train_seq_len:1024 iterations:{s} warmup_steps:20 max_wallclock_seconds:{P:.3f}")
def tQ(h,o,t,r):
 e=8//n;s=.0
 for u in range(e):a,i,l=tG();d=om(a,i,phases=o,fields=l)/e;s+=d.detach();d.backward()
 h.step(t,r);return s
def tR(n,i,l):
 a=tk(n,i,l);t=Scalars(1.,1.,.0)
 for e in os:t=e(a,t,m)
 return t
def tS():return 1e3*P
def tT():
 h=ex();aQ(h.c,h.y);l=tS();n=0;i=.0;aT()
 while True:
  f=n==s or 0<l<=i
  if f or od>0 and n%od==0:
   aU();a=tI();tU(n,f"val_loss:{a.val_loss:.4f} val_bpb:{a.l:.4f}",i)
   if f:break
   aT()
  t=tR(n,i,l);d=tQ(h,Z,t,m);n+=1;aR(h.c,n,t);i=eu(aV(n))
  if ol>0 and(n<=10 or n%ol==0):
   tU(n,f"train_loss:{d:.4f}",i)
   if d!=d:raise ValueError('the training loss is not a number')
 if n<s:o(f"stopping_early: wallclock_cap train_time:{i:.0f}ms step:{n}/{s}")
 r=e.cuda.max_memory_allocated()>>20;u=e.cuda.max_memory_reserved()>>20;o(f"peak memory allocated: {r} MiB reserved: {u} MiB");aS(h.c);tD(i);C('train','train');return n
def tU(n,a,i):o(f"step:{n}/{s} {a} train_time:{i:.0f}ms step_avg:{i/max(n,1):.2f}ms")
def tV(a,i,h,t):t.t('additive_skips','skips');return a+t.n['skip_weights'][h].to(a.dtype)*i
def tW(a,e,n,t):return ai(a,e,n,t)
def tX(a,l,n,o,t):h=a.h(l,'attn.c_q',n,o,t);r=a.h(l,'attn.c_k',n,o,t);s=a.h(l,'attn.c_v',n,o,t);h=ad(z(e.unflatten(h,2,(8,-1))),t);r=ad(z(e.unflatten(r,2,(4,-1))),t);s=e.unflatten(s,2,(4,-1));h,r=ar(h,r,n,t);i=tW(h,r,s,t);i=a.h(i.flatten(2),'attn.proj',n,o,t);return A(i,l,'attn',o,t)
def tY(a,e,n):h=a.transpose(1,2);r=e.transpose(1,2);s=n.transpose(1,2);t=h.size(1)!=r.size(1);return I.scaled_dot_product_attention(h,r,s,is_causal=True,enable_gqa=t).transpose(1,2)
def tZ():
 if u.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as a;return'flash-attn 3',a
 except ImportError:
  try:from flash_attn import flash_attn_func as a;return'flash-attn 2',a
  except ImportError:return aa(),None
def ae(t,a,e,n):i=t(a,e,n,causal=True,window_size=(-1,0));return i[0]if isinstance(i,tuple)else i
def at(t,a,e,n):
 if t is not None:return ae(t,a,e,n)
 return tY(a,e,n)
def aa():a=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not a);e.backends.cuda.enable_flash_sdp(a);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if a else'cuDNN'
def ao():global ot;t,ot=tZ();return t
def ai(h,r,s,t):t.t('causal_attention','layers');return at(ot,h,r,s)
def an(n,a,reduction,t):t.t('cross_entropy','losses');d=I.cross_entropy(n.flatten(0,1).float(),a.flatten(),reduction=reduction);return d.view_as(a)if reduction=='none'else d
def ar(a,e,n,t):t.t('qk_gain','layers');i=t.n[f"blocks.{n}.attn.q_gain"].to(a.dtype);return a*i[:,None],e
def ah(a,l,n,o,t):t.t('relu2','layers');e=I.relu(a.h(l,'mlp.fc',n,o,t)).square();return a.h(e,'mlp.proj',n,o,t)
def al(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def ad(a,t):t.t('rope','rotations');return tq(a,t)
def ac(a,l,n,t):e=t.n[f"blocks.{n}.resid_mix"].to(a.dtype);return e[0]*a+e[1]*l
def au(a):t=z(a);return t
def am(a,l,n,o,t):e=tX(a,l,n,o,t);return t.n[f"blocks.{n}.attn_scale"].to(l.dtype)*e
def af(a,l,n,o,t):e=ah(a,l,n,o,t);e=A(e,l,'mlp',o,t);return t.n[f"blocks.{n}.mlp_scale"].to(l.dtype)*e
def ap(a,e,l,n,o,t):i=ac(e[0],l,n,t);i=i+am(a,au(i),n,o,t);return i+af(a,au(i),n,o,t),
def ag(e,i,h,n,t):
 if i is None:return e
 return tV(e[0],i,h,t),*e[1:]
def aw(a,e,l,t):
 r,s=ak();t.t('unet_plan','steps over 9 layers',len(r)+len(s));i=[]
 for(o,n)in enumerate(r):e=ap(a,e,l,n,o,t);i.append(e[0])
 for(h,n)in enumerate(s):e=ag(e,i.pop()if i else None,h,n,t);e=ap(a,e,l,n,len(r)+h,t)
 return e
def ay(a,n,e,t):t.t('sequential_wiring','walks');return aw(a,(n,),e,t)[0]
def ab(model,n,ctx,cap):ctx.t('tanh_softcap','caps');return cap*e.tanh(n/cap)
def av(n,t):t.t('tied_head','heads');return tj(t.n['tok_emb.weight'],n,'head',0,0,t)
def ak():e=tuple(range(9));return e[:len(e)//2],e[len(e)//2:]
def E(tensor,generator,ledger):t=tensor.shape[-1]**-.5;tensor.uniform_(-t,t,generator=generator);ledger.count('uniform_init','matrices')
def ax(n):a=io.BytesIO();i={d.intern(t):{d.intern(h):m for(h,m)in o.items()}for(t,o)in n.items()};e.save(i,a);return a.getvalue()
def aj(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def aq(n):r=ax(n);m.i('torch_save',f"{len(n)} tensors in {len(r)} bytes");return r
def az(data):return aj(data)
def aA(data):s=zlib.compress(data,9);m.i('zlib',f"{len(data)} -> {len(s)} bytes");return s
def aB(data,t):
 s=zlib.decompressobj();a=s.decompress(data,t)
 if not s.eof or s.unused_data:raise ValueError(f"wanted one whole stream of at most {t} bytes")
 return a
def aC():
 try:a=SentencePieceProcessor(S)
 except(OSError,RuntimeError)as h:raise OSError(f"{S}: not a SentencePiece model")from h
 if len(a)>1024:raise ValueError(f"{S} has {len(a)} pieces, wanted at most vocab_size=1024")
 if a.piece_to_id('\u2581')==a.unk_id():raise ValueError(f"{S}: U+2581 is not a piece of its own")
 return a
def aD(a):
 n=[(0,0,1)]*1024
 for t in range(len(a)):
  if not(a.is_control(t)or a.is_unknown(t)or a.is_unused(t)):i=a.id_to_piece(t);o=i.startswith('\u2581');n[t]=1 if a.is_byte(t)else len(i.encode())-3*o,o,0
 return e.tensor(n).T
def aE(r):
 global oq,oj,of,ox
 if any(t(N).glob('*_bytes_*')):raise ValueError(f"{N}: it has byte side files, build with the plugin that reads them")
 a=aD(aC());ox,oj,oq=a.to(u);of=r
def aF(t,a,n):of.count('sentencepiece_bytes','targets',a.numel());s=ox[a]+(oj[a]&~oq[t]);return s
def aG(a,r):
 global ei,ow,op,en,og;ei=tz(a)
 for l in ei:tA(l)
 op=c;og=n;ow=r;en=B(ei[0])
def aH(a):
 global en;o=[]
 while a>0:
  if not len(en):ei.append(ei.pop(0));en=B(ei[0])
  o.append(en[:a]);en=en[a:];a-=len(o[-1])
 return H.concatenate(o)
def aI(n,a):t=aH(og*(n+1)).reshape(og,-1)[op];t=e.from_numpy(t.astype(int));ow.count('sequential_loader','batches');return t[:-1].reshape(-1,a),t[1:].reshape(-1,a)
def aJ(h):global oy;o=[{'params':l,'spec':u}for(u,l,i)in h];oy=e.optim.AdamW(o,betas=(.9,.95),eps=1e-08,fused=True)
def aK(t,r):
 for n in oy.param_groups:n['lr']=n['spec'].lr*t.s;n['weight_decay']=n['spec'].weight_decay*t.B
 oy.step();r.count('adam','steps')
def aL(a,t,ledger,start,final,steps):e=min(a.step/steps,1.)if steps>0 else 1.;n=(1-e)*start+e*final;ledger.i('momentum_warmup',f"momentum {n:.4f} at step {a.step}");return t._replace(momentum=n)
def aM(l,i):global oA,ov,ob,es;es=l;ob=i;oA=ez();ov=[e.zeros_like(a)for a in l]
def aN():0
def aO(t,r):
 d=[a.numel()for a in es];s=e.zeros(sum(d),dtype=e.bfloat16,device=u);o=s.split(d)
 for h in range(c,len(es),n):a,i=es[h],ob[h];l=eD(em(a),ov[h],t.momentum);l=eA(l,i)*eE(a);o[h].copy_(l.flatten())
 ed(s)
 for(a,i,m)in zip(es,ob,o,strict=True):eB(a,m.view_as(a),i,t)
 r.count('muon','matrix updates',len(es));r.count('newton_schulz','matrices',len(es))
def aP(a,steps,scale_first):
 n=a.shape[-2]>a.shape[-1]
 if n:a=a.mT
 a=a/(a.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for u in range(steps):t=a@a.mT;e=2.0315*t@t if scale_first else 2.0315*(t@t);a=3.4445*a+(-4.775*t+e)@a
 return a.mT if n else a
def aQ(l,i):0
def aR(l,i,t):0
def aS(l):m.i('no_average','last weights')
def aT():global ok;ok=l.perf_counter()-K
def aU():
 global K
 if e.cuda.is_available():e.cuda.synchronize()
 K=l.perf_counter()-ok;m.i('wall_clock',f"{K:.3f} seconds")
def aV(n):return 1e3*(l.perf_counter()-ok)
def aW(a,length):
 if length<=0:return 1.
 if a.m>0:t=length*(a.f/max(a.step,1));return min(max(a.m-a.f,.0)/max(t,1e-09),1.)
 n=a.v-a.step;return n/length if 0<n<=length else 1.
def aX(a,t,ledger,length):n=aW(a,length);ledger.i('warmdown_iters',f"multiplier {n:.4f} at step {a.step}");return t._replace(s=t.s*n)
class F:
 name='int8'
 def __init__(e,a):e.half=a
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');o,n=eJ(tensor.float());return{'codes':o,'step':n}
 def decode(e,name,parts,kind):return eK(parts,kind)
def aY():return Param('blocks.{}.attn.c_q.weight',(512,512),'matrix','attn',E,'layer_matrices',layers=9),Param('blocks.{}.attn.c_k.weight',(256,512),'matrix','attn',E,'layer_matrices',layers=9),Param('blocks.{}.attn.c_v.weight',(256,512),'matrix','attn',E,'layer_matrices',layers=9),Param('blocks.{}.attn.proj.weight',(512,512),'matrix','attn',eb,'layer_matrices',layers=9),Param('blocks.{}.mlp.fc.weight',(1024,512),'matrix','mlp',E,'layer_matrices',layers=9),Param('blocks.{}.mlp.proj.weight',(512,1024),'matrix','mlp',eb,'layer_matrices',layers=9),Param('skip_weights',(4,512),'scalar','control',w,'additive_skips'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',h(ev,value=1.5),'qk_gain',layers=9),Param('blocks.{}.attn_scale',(512,),'scalar','control',w,'residual_scales',layers=9),Param('blocks.{}.mlp_scale',(512,),'scalar','control',w,'residual_scales',layers=9),Param('blocks.{}.resid_mix',(2,512),'scalar','control',al,'residual_scales',layers=9),Param('tok_emb.weight',(1024,512),'embed','embed',h(ek,std=.005),'tied_head','activation',z='head')
def aZ():global ee;ee='causal_attention';eG(ao())
ot=None
K=.0
oa=Group('embed',.05),Group('scalar',.04)
oo=h(ab,cap=3e1),
oi=h(aP,scale_first=True)
L=None
on='adam','additive_skips','causal_attention','chunked_eval','cross_entropy','int8','layer_matrices','momentum_warmup','muon','newton_schulz','no_average','qk_gain','relu2','residual_scales','rope','sentencepiece_bytes','sequential_loader','sequential_wiring','tanh_softcap','tied_head','torch_save','unet_plan','uniform_init','wall_clock','warmdown_iters','zlib'
os=h(aL,final=.95,start=.85,steps=500),h(aX,length=1200)
M={'attn':F(True),'control':F(False),'embed':F(True),'mlp':F(True)}
if __name__=='__main__':tM(aY())